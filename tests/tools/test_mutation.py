"""Which mutants are made and chosen, and which tests are asked."""

from pathlib import Path

import pytest

from tools.mutation import ENOUGH_S, Mutant, Reach, chosen, mutants_of

MODULE = """
@dataclass(frozen=True)
class Much:
    most: int | None = 3

def more(one: int | str, *, two: int = 4) -> int | None:
    log(one)
    log.info("more", of=1 + 2)
    dict(zip([one], [two], strict=True))
    return one + two if one else None
"""
OPERATORS = [
    "AddNot",
    "NumberReplacer",
    "ReplaceTrueWithFalse",
    "ReplaceBinaryOperator_Add_Sub",
    "ReplaceBinaryOperator_BitOr_BitAnd",
    "ReplaceBinaryOperator_Mul_Div",
]


@pytest.fixture
def module(tmp_path: Path) -> Path:
    file = tmp_path / "module.py"
    file.write_text(MODULE)
    return file


def test_what_runs_is_broken_and_what_only_types_say_is_not(module: Path) -> None:
    head = "def more(one: int | str, *, two: int = {}) -> int | None:"
    assert sorted(one.change() for one in mutants_of(module, OPERATORS)) == [
        f"{head.format(4)} → {head.format(3)}",
        f"{head.format(4)} → {head.format(5)}",
        "dict(zip([one], [two], strict=True)) → pass",
        "log(one) → pass",
        "most: int | None = 3 → most: int | None = 2",
        "most: int | None = 3 → most: int | None = 4",
        "return one + two if one else None → return one + two if not one else None",
        "return one + two if one else None → return one - two if one else None",
    ]


def test_what_comes_above_chooses_no_other_mutants(module: Path) -> None:
    config = {"seed": 1, "operators": {"used": OPERATORS}}
    before = [one.change() for one in chosen(str(module), 3, config)]
    module.write_text("import sys\n\n" + MODULE)
    assert [one.change() for one in chosen(str(module), 3, config)] == before


def test_the_quickest_of_the_room_are_asked_first_and_not_for_too_long() -> None:
    slow, quick, far, own = (
        "tests/bot/domain/test_hours.py::test_a",
        "tests/bot/domain/test_talk.py::test_b",
        "tests/bot/chats/test_past.py::test_c",
        "tests/bot/domain/test_links.py::test_d",
    )
    took = {far: 0.1, quick: 0.5, slow: 1.0, f"{far}[long]": ENOUGH_S}
    reach = Reach(took, {"bot/domain/links.py": {3: [*took], 4: [far]}})

    def asked(*lines: int) -> list[str]:
        mutant = Mutant(Path("bot/domain/links.py"), "AddNot", 0, range(*lines), "")
        return reach.tests(mutant)

    assert asked(3, 4) == [quick, slow, far]
    assert asked(4, 5) == [far]
    reach.by_line["bot/domain/links.py"][5] = [slow]
    assert asked(3, 6) == [slow, quick, far]  # of more lines, who comes by the last
    assert asked(9, 10) == [quick, slow, far]  # at import: all who come by, and the room's
    took[own] = 2.0
    reach.by_line["bot/domain/links.py"][3].append(own)
    assert asked(3, 4) == [own, quick, slow, far]  # the module's own, however long they take
