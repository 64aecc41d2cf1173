"""R notebooks in a real kernel: outputs, displays, failures by name, memory."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from r_side import LIB, require_r
from trial_runs import make_run, make_template

from wardbook.domain.output import Output
from wardbook.domain.run import Failure, FailureKind, RunResult
from wardbook.engines.warm_engine import WarmEngine
from wardbook.files import hash_file
from wardbook.r import R_FOLDER
from wardbook.report.publication import Publication, list_publications

pytestmark = [pytest.mark.r, pytest.mark.usefixtures("lasting_server")]

GIVEN = {"who": "Ada", "days": [date(2021, 1, 8)], "share": None}


@pytest.fixture(autouse=True, scope="module")
def with_r() -> None:
    require_r()


def execute(folder: Path, *cells: str, **spec: Any) -> RunResult:
    run = make_run(folder, "run", *cells, kernel="ir", **({"parameters": GIVEN} | spec))
    engine = WarmEngine()
    try:
        return engine.execute(run)
    finally:
        engine.close()


def fail(folder: Path, *cells: str, **spec: Any) -> Failure:
    failure = execute(folder, *cells, **spec).failure
    assert failure is not None
    return failure


def read_chunks(picture: bytes) -> list[str]:
    at, found = 8, []
    while at < len(picture):
        (length,) = struct.unpack(">I", picture[at : at + 4])
        found.append(picture[at + 4 : at + 8].decode())
        at += 12 + length
    return found


def test_a_notebook_in_r_publishes_and_declares(tmp_path: Path) -> None:
    result = execute(
        tmp_path,
        """
        secret <- "printed"
        print(secret)
        wardbook.say("hello", who = paste0("*", wardbook.params()$who, "* \u00a0😀"), rate = 2.25)
        """,
        """
        rm(list = ls())
        frame <- data.frame(day = wardbook.params()$days, n = 3L)
        wardbook.table("counts", frame, caption = "Été", show = 5)
        wardbook.table("counts", frame, caption = "Été", show = FALSE)
        """,
        """
        draw <- function() plot(1:10, main = "日本 ≥ é")
        wardbook.figure("curve", draw, caption = "Courbe", alternative = "Une droite")
        """,
        language="fr",
    )
    assert result.failure is None
    folder = tmp_path / "run"
    notebook = json.loads((folder / "executed.ipynb").read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            for kind, data in output.get("data", {}).items():
                output["data"][kind] = "".join(data)
    assert list_publications(notebook) == (
        Publication("text", "hello", text="Bonjour **\\*Ada\\* \u00a0😀** : 2\\.2"),
        Publication("table", "counts", rows=5),
        Publication("figure", "curve"),
    )
    table, curve = result.outputs
    assert isinstance(table, Output)
    assert (table.name, table.title, table.caption, table.rows) == ("counts", "Comptes", "Été", 1)
    assert (folder / "outputs/counts.csv").read_bytes() == b"day,n\n2021-01-08,3\n"
    assert curve.alternative == "Une droite"
    assert curve.sha256 == hash_file(folder / "outputs/curve.png")
    picture = (folder / "outputs/curve.png").read_bytes()
    assert set(read_chunks(picture)) <= {"IHDR", "PLTE", "pHYs", "tRNS", "IDAT", "IEND"}
    assert sorted(p.name for p in (folder / "outputs").iterdir()) == [
        *("counts.csv", "curve.png", "index.json"),
    ]


def test_the_time_zone_is_the_machines_and_costs_no_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TZ", raising=False)
    assert execute(tmp_path, "cat(Sys.timezone())").failure is None
    executed = json.loads((tmp_path / "run" / "executed.ipynb").read_text())
    (output,) = (one for cell in executed["cells"] for one in cell.get("outputs", ()))
    zone = str(Path("/etc/localtime").readlink()).partition("/zoneinfo/")[2]
    assert (output["name"], "".join(output["text"])) == ("stdout", zone)


def test_the_session_is_clean_and_its_parameters_read_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".Rprofile").write_text("from_profile <- TRUE\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("LANG", "C")
    monkeypatch.setenv("R_LIBS_USER", str(home))
    monkeypatch.setenv("R_PROFILE_USER", str(home / ".Rprofile"))
    result = execute(
        tmp_path,
        """
        stopifnot(!exists("from_profile"), l10n_info()$`UTF-8`, !length(ls()))
        stopifnot(!any(grepl("home", .libPaths())), !nzchar(Sys.getenv("R_PROFILE_USER")))
        given <- wardbook.params()
        told <- tryCatch({ given$who <- "Eve"; "" }, error = conditionMessage)
        stopifnot(grepl("read-only", told), identical(given$who, "Ada"), is.null(given$share))
        told <- tryCatch(given$whom, error = conditionMessage)
        stopifnot(grepl("no parameter 'whom'.*who", told))
        told <- tryCatch(wardbook.source("beds"), TemplateProblem = conditionMessage)
        stopifnot(grepl("no source 'beds', only: stays, wards", told))
        told <- tryCatch(wardbook.source("stays"), EnvironmentFault = conditionMessage)
        stopifnot(grepl("no file for the source 'stays'", told), is.null(wardbook.source("wards")))
        told <- tryCatch(wardbook.text("bye"), TemplateProblem = conditionMessage)
        stopifnot(grepl("no text 'bye'", told), nrow(wardbook.departments()) > 100)
        """,
    )
    assert result.failure is None


@pytest.mark.parametrize(
    ("cell", "line", "error_class"),
    [
        ('\nx <- 1\n\nf <- function() stop("Dupont")\nf()', 4, "simpleError"),
        ("y <- (1\nDupont Dupont", 2, "simpleError"),
        ('stop(structure(class = c("my_error", "error", "condition"), list(message = "Dupont")))',
         1, "my_error"),
        ('stop(structure(class = c("odd", "error", "condition"), list()))', None, "odd"),
        ("f <- function(n) f(n)\nf('Dupont')", None, "stackOverflowError"),
        ("quit(status = 1)", None, "quit"),
        ('wardbook.table("counts", data.frame(Dupont = 1))', 1, "TemplateProblem"),
    ],
)  # fmt: skip
def test_an_error_is_told_by_cell_line_and_class(
    tmp_path: Path, cell: str, line: int | None, error_class: str
) -> None:
    failure = fail(tmp_path, "x <- 1", cell, "after <- TRUE")
    assert failure == Failure(FailureKind.CELL_ERROR, 2, line, error_class)
    assert "Dupont" not in (tmp_path / "run/result.json").read_text()
    notebook = json.loads((tmp_path / "run/executed.ipynb").read_text(encoding="utf-8"))
    assert notebook["cells"][-1]["outputs"] == []
    assert notebook["cells"][-1]["execution_count"] is None


def test_errors_that_are_caught_are_none(tmp_path: Path) -> None:
    result = execute(
        tmp_path,
        """
        f <- function(n) f(n)
        caught <- tryCatch(f(1), error = function(e) "caught")
        try(stop("told"), silent = TRUE)
        tryCatch(wardbook.problem("no_rows", file = "a.csv"), DataProblem = function(e) NULL)
        """,
        "stopifnot(caught == 'caught')",
    )
    assert result.failure is None


def test_a_data_problem_has_its_code_and_places(tmp_path: Path) -> None:
    failure = fail(
        tmp_path, 'wardbook.problem("number_missing", file = "a.csv", row = 3, count = 1L)'
    )
    assert (failure.kind, failure.problem) == (FailureKind.DATA_PROBLEM, "number_missing")
    assert failure.details == {"file": "a.csv", "row": 3, "count": 1}


def test_the_memory_limit_holds_for_r(tmp_path: Path) -> None:
    # 400 MB in vectors: more than one run may have, and less than the other.
    cell = "x <- lapply(1:50, function(i) rnorm(1e6))\nsum(sapply(x, length))"
    for name, memory_mb in (("little", 256), ("enough", 1024)):
        (tmp_path / name).mkdir()
        failure = execute(tmp_path / name, cell, memory_mb=memory_mb).failure
        if name == "enough":
            assert failure is None
        else:
            assert failure is not None
            assert failure.kind is FailureKind.OUT_OF_MEMORY
            assert (failure.cell, failure.details) == (1, {"memory_mb": 256})


def test_many_small_objects_are_out_of_memory_too(tmp_path: Path) -> None:
    cell = "x <- NULL\nrepeat x <- list(x, 1)"
    failure = fail(tmp_path, cell, memory_mb=256)
    assert (failure.kind, failure.cell) == (FailureKind.OUT_OF_MEMORY, 1)


def test_an_analyst_works_by_hand_in_the_template_s_folder(tmp_path: Path) -> None:
    folder = make_template(tmp_path)
    script = """
    for (file in c("wardbook.R", "csv.R")) source(file.path(Sys.getenv("HERE"), file))
    stopifnot(identical(wardbook.params()$who, "monde"), wardbook.language() == "fr")
    wardbook.table("counts", data.frame(day = wardbook.params()$days, n = 1:2))
    told <- tryCatch(wardbook.source("stays"), EnvironmentFault = conditionMessage)
    stopifnot(grepl("Set WARDBOOK_SOURCE_STAYS", told))
    broken <- function() { plot(1); stop("no") }
    told <- tryCatch(wardbook.figure("curve", broken, "c", "a"), error = conditionMessage)
    stopifnot(told == "no", is.null(dev.list()), !file.exists("outputs/curve.png"))
    told <- tryCatch(wardbook.figure("curve", broken, "c", " "), TemplateProblem = conditionMessage)
    stopifnot(grepl("'curve' has no alternative text", told))
    line <- ggplot2::ggplot(data.frame(x = 1:3), ggplot2::aes(x, x)) + ggplot2::geom_line()
    wardbook.figure("curve", line, "A line", "It rises")
    stopifnot(is.null(dev.list()))
    """
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(LIB), "HERE": str(R_FOLDER)}
    subprocess.run(
        [shutil.which("Rscript") or "Rscript", "--vanilla", "-e", script],
        cwd=folder,
        env=environment | {"WARDBOOK_PYTHON": sys.executable},
        check=True,
    )
    written = json.loads((folder / "outputs/index.json").read_text(encoding="utf-8"))
    assert [(one["name"], one["rows"]) for one in written] == [("counts", 2), ("curve", 0)]
    picture = (folder / "outputs/curve.png").read_bytes()
    assert set(read_chunks(picture)) <= {"IHDR", "PLTE", "pHYs", "tRNS", "IDAT", "IEND"}
