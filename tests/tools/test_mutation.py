"""The mutants that may survive are of code that is there."""

import tomllib

from tools.mutation import CONFIG, listed, of_no_line


def test_each_mutant_that_may_survive_is_of_a_line_of_its_module() -> None:
    assert of_no_line(listed(tomllib.loads(CONFIG.read_text()))) == []
