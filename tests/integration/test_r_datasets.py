"""`wardbook.read` in R: what the notebook gets of a dataset, from CSV and from an extract."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.r_side import ask_r, require_r
from wardbook.datasets import find_dataset

pytestmark = pytest.mark.r
HEADER = (
    "tube;patient;ward;ward_name;drawn;received;type;device;site;transport;haemolysis_index;"
    "index_unit;potassium"
)
ROWS = (
    'T1;P1;URGE;"Urgences ""é"", jour";2025-03-30T02:30;2025-03-30T03:10;serum;catheter;other;'
    "porter;0.1;g/L;4.6",
    "007;P2;MEDI;;2025-03-04T00:00;2025-03-04T00:00;serum;arterial;elbow;porter;;;",
)
READ = """
kinds <- function(frame) vapply(frame, function(column) class(column)[[1]], "")
results <- lapply(given, function(path) {
  Sys.setenv(WARDBOOK_SOURCE_TUBES = path)
  .wardbook.memory$place <- NULL
  tryCatch({
    frame <- wardbook.read("tubes")
    rows <- as.list(frame)
    rows$drawn <- format(frame$drawn, "%Y-%m-%dT%H:%M:%S %Z")
    rows$received <- NULL
    minutes <- as.numeric(difftime(frame$received, frame$drawn, units = "mins"))
    list(kinds = as.list(kinds(frame)), rows = rows, minutes = minutes)
  }, DataProblem = function(problem) list(code = problem$code, details = problem$details))
})
answer(results)
"""


def test_r_gets_what_python_reads(root: Path, tmp_path: Path) -> None:
    require_r()
    shutil.copytree(root / "templates/haemolysis_origin_r", tmp_path / "haemolysis_origin_r")
    dataset = find_dataset("blood-tubes")
    assert dataset is not None
    good, extract, bad = (tmp_path / name for name in ("good.csv", "tubes.parquet", "bad.csv"))
    good.write_text("\n".join((HEADER, *ROWS, "")), encoding="utf-8")
    dataset.read(good).to_parquet(extract)
    bad.write_text("\n".join((HEADER, ROWS[0], ROWS[1].replace("MEDI", "=1+1"), "")))
    given = {"csv": str(good), "parquet": str(extract), "bad": str(bad), "none": "absent.csv"}
    found: dict[str, Any] = ask_r(READ, tmp_path / "haemolysis_origin_r", given=given)
    assert found["parquet"] == found["csv"]
    read = found["csv"]
    assert read["kinds"]["drawn"] == "POSIXct"
    assert read["kinds"]["haemolysis_index"] == read["kinds"]["potassium"] == "numeric"
    assert {read["kinds"][name] for name in ("tube", "ward", "index_unit")} == {"character"}
    rows = read["rows"]
    assert rows["tube"] == ["T1", "007"], "a number of a tube is a text"
    assert rows["ward_name"] == ['Urgences "é", jour', None]
    assert rows["haemolysis_index"] == [0.1, None]
    assert rows["index_unit"] == ["g/L", None]
    # An hour that does not come on the local clock is what the file says, to the minute.
    assert rows["drawn"] == ["2025-03-30T02:30:00 UTC", "2025-03-04T00:00:00 UTC"]
    assert read["minutes"] == [40, 0]
    assert found["bad"] == {
        "code": "text_form",
        "details": {"file": "bad.csv", "row": 3, "count": 1, "column": "ward"},
    }
    assert found["none"]["code"] == "file_missing"
