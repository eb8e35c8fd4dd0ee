"""The tests that belong to a module."""

from pathlib import Path

from tools.check import find_tests, main


def test_a_module_has_the_test_file_of_its_name() -> None:
    assert find_tests(Path("bot/media/sniff.py")) == [Path("tests/bot/media/test_sniff.py")]
    assert find_tests(Path("handlers/rules.py")) == [Path("tests/flows/test_rules.py")]
    assert find_tests(Path("tests/bot/test_config.py")) == [Path("tests/bot/test_config.py")]
    assert find_tests(Path("handlers/unknown.py")) == []


def test_a_file_that_does_not_exist_is_refused() -> None:
    assert main(["bot/no_such_module.py"]) == 2
