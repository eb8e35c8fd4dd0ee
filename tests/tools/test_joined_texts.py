"""Texts that code joins from translated parts: each planted fault is found, and nothing else."""

import pytest

from tools.catalogues import joined_in_code
from tools.joined_texts import findings


def faults(body: str) -> list[str]:
    source = "def page(t, name, names, one, rest):\n    " + body.replace("\n", "\n    ")
    return [fault for _, fault in findings(source)]


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('return f"{name}: {t(NONE)}"', "joined by punctuation"),
        ('text = t(NONE)\nreturn f"<b>{name}</b>: {text}"', "joined by punctuation"),
        ('return f"{t(LINE)} ({t(NOTE)})"', "joined by punctuation"),
        ('return f"{t.relative_time(one)} \u2013 {t.relative_time(rest)}"', "by punctuation"),
        ('return ", ".join(t.plain(one) for one in names)', "joined by a comma"),
        ("return t(ALREADY, username=t.names_inside_bold(names))", "without the field n"),
        ("say_message(one, ALREADY, username=t.names_inside_bold(names))", "the field n"),
        (
            "inside = t.names_inside_bold(names)\nreturn t(ALREADY, username=inside)",
            "without the field n",
        ),
        ("return bold(one.title)", "direction is not isolated"),
        ('title = one["title"]\nreturn bold(title)', "direction is not isolated"),
    ],
)
def test_planted_fault_is_found(body: str, fault: str) -> None:
    assert any(fault in found for found in faults(body))


@pytest.mark.parametrize(
    "body",
    [
        "return t.labelled(name, t(NONE))",
        'return f"{t(LINE)}\\n\\n{t(NOTE)}"',
        'return f"🔔 {t(LINE)} \u00b7 {name}"',
        'return f"{name}: {rest}"',
        'return ", ".join(names)',
        "return t(ALREADY, n=len(names), username=t.names_inside_bold(names))",
        "return bold(foreign_html(one.title, rtl=t.is_rtl))",
        "shown = foreign_html(one.title, rtl=t.is_rtl)\nreturn bold(shown)",
    ],
)
def test_correct_text_is_no_finding(body: str) -> None:
    assert faults(body) == []


def test_code_has_no_joined_text() -> None:
    assert list(joined_in_code()) == []
