"""What the workflows ask of the Makefile is there, on the Pythons that the project names."""

import re
from pathlib import Path
from typing import Any

import yaml

from tools import test_all, wheels

ROOT = Path(__file__).parents[2]
WORKFLOWS: dict[str, dict[str, Any]] = {
    file.name: yaml.safe_load(file.read_text())
    for file in (ROOT / ".github/workflows").glob("*.yml")
}
STEPS = [
    step
    for workflow in WORKFLOWS.values()
    for job in workflow["jobs"].values()
    for step in job.get("steps", ())
]
TARGETS = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_each_target_that_is_run_is_one() -> None:
    assert TARGETS
    text = "\n".join([*(step.get("run", "") for step in STEPS), (ROOT / ".ci/run").read_text()])
    run = set(re.findall(r"^make (\S+)", text, re.MULTILINE))
    assert {"test", "test-slow", "coverage"} <= run <= set(TARGETS[1].split())


def test_the_pythons_are_the_same_everywhere() -> None:
    named = [*test_all.PYTHONS, test_all.NEXT]
    assert WORKFLOWS["test.yml"]["jobs"]["test"]["strategy"]["matrix"]["python"] == named
    assert list(wheels.PYTHONS) == named
    assert f'requires-python = ">={named[0]}"' in (ROOT / "pyproject.toml").read_text()
    assert f"FROM python:{test_all.PYTHONS[-1]}-slim" in (ROOT / "Dockerfile").read_text()


def test_a_release_tests_first_and_publishes_last_and_only_a_tag() -> None:
    jobs = WORKFLOWS["release.yml"]["jobs"]
    assert jobs["test"]["uses"].endswith("/test.yml")
    assert "workflow_call:" in (ROOT / ".github/workflows/test.yml").read_text()
    publishing = {name for name, job in jobs.items() if "if" in job}
    assert publishing == {"publish", "docs", "page"}
    assert {jobs[name]["if"] for name in publishing} == {"github.event_name == 'push'"}
    before, waiting = set(), ["publish"]
    while waiting:
        needs = jobs[waiting.pop()].get("needs", [])
        waiting += needs if isinstance(needs, list) else [needs]
        before.update(waiting)
    assert before == {"check", "test", "build", "image"}


def test_what_others_wrote_is_pinned_and_gets_no_rights_by_itself() -> None:
    for step in STEPS:
        assert re.search(r"@[0-9a-f]{40}$", step.get("uses", f"@{'0' * 40}"))
    assert all(workflow["permissions"] == {} for workflow in WORKFLOWS.values())


def test_each_program_that_a_test_needs_is_told_to_engineers() -> None:
    told = (ROOT / "CONTRIBUTING.md").read_text().lower()
    for file in (ROOT / "tests").rglob("*.py"):
        for words in re.findall(r"\bneeds\(((?:\"[\w-]+\"(?:, )?)+)\)", file.read_text()):
            for program in re.findall(r'"([\w-]+)"', words):
                assert program in told, (program, file)
