"""The engine leaves the same cells as papermill with a stock kernel, over the whole corpus."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.corpus.reading import Case, read_corpus
from tests.corpus.reference import Reference
from tests.corpus.sides import execute_reference, execute_with_engine, find_differences
from wardbook.engines import Engine, open_engine

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


@pytest.mark.parametrize("case", CORPUS.values(), ids=str)
def test_same_cells_as_papermill(
    case: Case, reference: Reference, engine: Engine, tmp_path: Path
) -> None:
    expected = execute_reference(case, reference, tmp_path / "reference")
    found = execute_with_engine(case, engine, tmp_path / "run", "warm")
    assert "\n".join(find_differences(case, expected, found)) == ""
