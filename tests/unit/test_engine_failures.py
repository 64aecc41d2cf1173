"""What is taken from an executed notebook, and how a failure is told."""

from typing import Any, get_args

import pytest

from wardbook.domain.run import Failure, FailureKind
from wardbook.engines.executed import find_failure
from wardbook.engines.failures import describe_failure
from wardbook.messages import Language
from wardbook.notebook.display import PROBLEM_TYPE

CANARY = "Dupont-1957"


def notebook(*outputs: dict[str, Any], source: str = "1") -> dict[str, Any]:
    markdown = {"cell_type": "markdown", "source": "# Title"}
    good = {"cell_type": "code", "execution_count": 1, "source": "1", "outputs": []}
    bad = {"cell_type": "code", "execution_count": 2, "source": source, "outputs": list(outputs)}
    return {"cells": [markdown, good, bad]}


def error(name: str = "ValueError", *traceback: str) -> dict[str, Any]:
    return {
        "output_type": "error",
        "ename": name,
        "evalue": CANARY,
        "traceback": [*traceback, f"{name}: {CANARY}"],
    }


def problem(code: object, details: object) -> dict[str, Any]:
    data = {PROBLEM_TYPE: {"code": code, "details": details}}
    return {"output_type": "display_data", "data": data, "metadata": {}}


def test_no_error_is_no_failure() -> None:
    assert find_failure(notebook()) is None


def test_a_cell_counts_code_cells_and_a_line_is_the_failing_cell_s() -> None:
    traceback = (
        "\x1b[36mCell\x1b[39m\x1b[36m \x1b[39m\x1b[32mIn[2]\x1b[39m\x1b[32m, line 4\x1b[39m\n x()",
        "Cell In[1], line 9, in x()\n raise",
    )
    failure = find_failure(notebook(error("KeyError", *traceback), source="\n\nx()"))
    assert failure == Failure(FailureKind.CELL_ERROR, 2, 6, "KeyError")


def test_a_class_that_is_no_name_is_not_taken() -> None:
    failure = find_failure(notebook(error(f"{CANARY} et al")))
    assert failure == Failure(FailureKind.CELL_ERROR, 2)


def test_a_problem_s_details_are_names_and_numbers_only() -> None:
    details = {"file": "stays.csv", "row": 3, "text": "x" * 201, "rate": 0.5, "all": [CANARY]}
    failure = find_failure(notebook(problem("number_missing", details), error("DataProblem")))
    assert failure is not None
    assert (failure.kind, failure.problem) == (FailureKind.DATA_PROBLEM, "number_missing")
    assert failure.details == {"file": "stays.csv", "row": 3}


@pytest.mark.parametrize("code", [None, 3, "No such code", "../x", "x" * 65])
def test_a_problem_without_a_proper_code_is_an_error_of_its_cell(code: object) -> None:
    failure = find_failure(notebook(problem(code, {}), error("DataProblem")))
    assert failure == Failure(FailureKind.CELL_ERROR, 2, None, "DataProblem")


@pytest.mark.parametrize("language", get_args(Language))
@pytest.mark.parametrize("kind", FailureKind)
def test_every_failure_can_be_told_even_a_bare_one(kind: FailureKind, language: Language) -> None:
    text = describe_failure(Failure(kind), language)
    assert all((text.cause, text.place, text.next_step))


def test_a_limit_is_told() -> None:
    memory = Failure(FailureKind.OUT_OF_MEMORY, details={"memory_mb": 512})
    assert "512\N{NO-BREAK SPACE}Mo" in describe_failure(memory, "fr").cause
    time = Failure(FailureKind.OUT_OF_TIME, details={"seconds": 600})
    assert "10\N{NO-BREAK SPACE}min" in describe_failure(time, "en").cause


def test_the_place_names_file_row_column_and_cell() -> None:
    details: dict[str, str | int] = {"file": "stays.csv", "row": 3, "column": "age"}
    failure = Failure(FailureKind.DATA_PROBLEM, 2, 5, "DataProblem", "no_such_code", details)
    text = describe_failure(failure, "en")
    assert text.place == ("file stays.csv, row 3, column age, code cell 2 of the notebook, line 5")
    assert "no_such_code" in text.cause
