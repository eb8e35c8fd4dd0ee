"""Compare the code of two versions, and ignore docstrings and comments.

``python -m tools.same_code main`` compares the Python files of the working tree with the files of
a commit. If only docstrings and comments were changed, the syntax trees are equal.
"""

import ast
import subprocess
import sys
from pathlib import Path


def dump_code(source: str) -> str:
    """Return the syntax tree of a source text as text, without docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        for field in ("body", "orelse", "finalbody"):
            statements = getattr(node, field, None)
            if isinstance(statements, list):
                setattr(node, field, [one for one in statements if not _is_text(one)])
    return ast.dump(tree)


def _is_text(node: ast.AST) -> bool:
    """Return whether a statement is a string: a docstring of a definition or of a field."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def find_changes(base: str) -> list[str]:
    """Return the Python files whose code differs from the code in a commit."""
    names = _git("diff", "--name-only", "--diff-filter=AMDR", base, "--", "*.py").splitlines()
    return [name for name in names if _is_changed(base, Path(name))]


def _is_changed(base: str, file: Path) -> bool:
    try:
        before = _git("show", f"{base}:{file}")
    except subprocess.CalledProcessError:
        return True
    return not file.exists() or dump_code(before) != dump_code(file.read_text())


def _git(*words: str) -> str:
    command = ["git", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - git with the user's arguments


def main(arguments: list[str]) -> int:
    """Print the files whose code differs. Return 1 if a file differs, or else 0."""
    if len(arguments) != 1:
        sys.stderr.write("Name a commit: python -m tools.same_code main\n")
        return 2
    changed = find_changes(arguments[0])
    for name in changed:
        sys.stdout.write(f"{name}: the code differs\n")
    return int(bool(changed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
