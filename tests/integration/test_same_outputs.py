"""The engine leaves the same cells as papermill with a stock kernel, over the whole corpus."""

import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.corpus.reading import Case, read_corpus
from tests.corpus.reference import Reference
from tests.corpus.sides import execute_reference, execute_with_engine, find_differences
from wardbook.engines import Engine, open_engine

LONG = os.environ.get("WARDBOOK_CRASH") == "long"
CORPUS = read_corpus()


@pytest.fixture(scope="session")
def reference() -> Iterator[Reference]:
    reference = Reference()
    yield reference
    reference.close()


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    engine = open_engine()
    yield engine
    engine.close()


def test_the_corpus_is_as_wide_as_promised() -> None:
    assert len(CORPUS) >= 80
    assert len({case.theme for case in CORPUS.values()}) >= 15
    assert "ir" in {case.kernel for case in CORPUS.values()}


@pytest.mark.parametrize("case", list(CORPUS.values())[:: 1 if LONG else 4], ids=str)
def test_same_cells_as_papermill(
    case: Case, reference: Reference, engine: Engine, tmp_path: Path
) -> None:
    with ThreadPoolExecutor(1) as aside:
        expected = aside.submit(execute_reference, case, reference, tmp_path / "reference")
        found = execute_with_engine(case, engine, tmp_path / "run", "warm")
    assert "\n".join(find_differences(case, expected.result(), found)) == ""


DRAW = """=== draws
what: Numbers drawn without a seed
--- code
import random, tempfile, uuid
import numpy
drawn = [random.random(), numpy.random.rand(), float(numpy.random.default_rng().random())]
[*drawn, uuid.uuid4().hex]
--- code
next(tempfile._get_candidate_names())
"""


def test_numbers_without_a_seed_differ_from_run_to_run(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "draws.cells").write_text(DRAW)
    case = read_corpus(tmp_path)["draws"]
    runs = [execute_with_engine(case, engine, tmp_path / name, "warm") for name in ("a", "b")]
    one, other = ({value for cell in run.notebook["cells"] for value in read(cell)} for run in runs)
    assert (len(one), len(other)) == (5, 5)
    assert not one & other


def read(cell: dict[str, Any]) -> list[str]:
    (output,) = cell["outputs"]
    return re.split(r",\s+", "".join(output["data"]["text/plain"]).strip("[]"))


SHOW_MANY = """=== many
what: More displays in one cell than papermill reads without loss
--- code
from IPython.display import display
for number in range(5_000):
    display(number)
"""


def test_no_display_of_a_cell_is_lost(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "many.cells").write_text(SHOW_MANY)
    case = read_corpus(tmp_path)["many"]
    found = execute_with_engine(case, engine, tmp_path / "run", "warm")
    (cell,) = found.notebook["cells"]
    texts = ["".join(output["data"]["text/plain"]) for output in cell["outputs"]]
    assert texts == [str(number) for number in range(5_000)]


AT_FAULT = """=== split
what: One character written to a handle in two pieces; ipykernel shows four broken ones
--- code
import os, time
emoji = "😀é".encode()
os.write(1, emoji[:2]); time.sleep(0.3)
os.write(1, emoji[2:]); time.sleep(0.3)

=== surrogate
what: A lone surrogate printed; the kernel prints that it could not send it, and goes on
--- code
print("\\ud800 alone")
--- code
"goes on"
"""


def test_where_papermill_is_at_fault_the_notebook_still_comes_through(
    engine: Engine, tmp_path: Path
) -> None:
    (tmp_path / "faults.cells").write_text(AT_FAULT)
    cases = read_corpus(tmp_path)
    split = execute_with_engine(cases["split"], engine, tmp_path / "split", "warm").notebook
    assert "".join(split["cells"][0]["outputs"][0]["text"]) == "😀é"
    alone = execute_with_engine(cases["surrogate"], engine, tmp_path / "alone", "warm")
    assert (alone.outcome, read(alone.notebook["cells"][1])) == ("ended", ["'goes on'"])
