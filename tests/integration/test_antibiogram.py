"""The antibiogram, run by the engine: on a published table, and on the embedded hospital."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from tests.integration.test_activity_templates import judge
from tests.integration.test_templates_run import published_texts, run_template
from wardbook.datasets.isolates import DATASET
from wardbook.disclosure.leaving import read_leaving
from wardbook.domain.output import OutputKind, Verdict
from wardbook.domain.run import FailureKind
from wardbook.engines.warm_engine import WarmEngine
from wardbook.hospital.building import build_hospital
from wardbook.microbiology.catalogue import load_catalogue
from wardbook.microbiology.reading import read_isolates
from wardbook.microbiology.selection import keep_first, sort_out
from wardbook.microbiology.shares import list_tested, measure_shares
from wardbook.microbiology.tables import add_names
from wardbook.template.parameters import type_parameters
from wardbook.template.spec import Template, load_template
from wardbook.warehouse import extract, open_warehouse

pytestmark = [
    pytest.mark.xdist_group("antibiogram"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
AS_PUBLISHED = {
    "start": "2002-01-01",
    "end": "2017-12-31",
    "isolates": "all",
    "intrinsic": "kept",
    "combinations": "AMC+GEN",
}
YEARS = {"start": "2024-01-01", "end": "2025-12-31"}
CELLS, SHOWN = 60, 38


@pytest.fixture(scope="module")
def engine() -> Iterator[WarmEngine]:
    with closing(WarmEngine()) as engine:
        yield engine


@pytest.fixture(scope="module")
def template(root: Path) -> Template:
    return load_template(root / "templates/antibiogram")


def asked(template: Template, **texts: str) -> dict[str, object]:
    values, problems = type_parameters(template.spec, texts)
    assert not problems
    return values


@pytest.mark.shared_data
def test_every_published_cell_comes_out_of_the_public_file(
    template: Template, shared: Path, tmp_path: Path, engine: WarmEngine
) -> None:
    """Which isolates, which groups and which interval the published table has: the data tell.

    All 60 cells come out with all isolates, each under the code that the laboratory gave (CoNS are
    those reported as such, without S. epidermidis and S. hominis), and Clopper and Pearson's
    interval; none of the three can be exchanged, which the controls show.
    """
    sources = {
        "isolates": shared / "data/amr/example_isolates.csv",
        "breakpoints": shared / "data/amr/eucast_breakpoints_2020_2024_2025.csv",
    }
    published = pd.read_csv(shared / "data/amr/truth_traditional_antibiogram_AMR_docs.csv")
    assert len(published) == CELLS
    assert published["N"].notna().sum() == SHOWN
    run = tmp_path / "run"
    result = run_template(template, run, sources, asked(template, **AS_PUBLISHED), "en", engine)
    assert result.failure is None
    texts = published_texts(run).replace("\\", "")
    assert "resistance is overstated" in texts
    assert "3,430 row(s) of the file example_isolates.csv left out" in texts
    assert "the same by all three versions" in texts, "this file has no concentrations"
    measured = pd.read_csv(run / "outputs/antibiogram.csv")
    assert count_equal(measured, published) == CELLS

    # The controls: neither first isolates nor the other interval give the published table.
    known = load_catalogue()
    rows = sort_out(read_isolates(sources["isolates"]), known, pd.Timestamp.now("UTC")).rows
    for counted, interval, equal in ((keep_first(rows), "exact", 22), (rows, "wilson", 45)):
        tested = list_tested(counted, "SI")
        other = measure_shares(tested, ["organism", "drug"], interval, least=30)  # type: ignore[arg-type]
        assert count_equal(add_names(other, known, "en"), published) == equal


def count_equal(measured: pd.DataFrame, published: pd.DataFrame) -> int:
    """Return how many published cells, shown or suppressed, a table has the same."""
    shares = measured.set_index("pair")
    equal = 0
    for cell in published.itertuples():
        place = f"{cell.mo} {cell.ab}"
        if pd.isna(cell.N):
            equal += place not in shares.index
        elif place in shares.index:
            row = shares.loc[place]
            found = (*(round(100 * row[name]) for name in ("share", "low", "high")),)
            wanted = (cell.pct_SI, cell.ci_low, cell.ci_high)
            equal += (found, row["isolates"]) == (wanted, cell.N)
    return equal


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hospital")
    database = build_hospital(folder, patients=12_000, seed=3, parts=("microbiology",))
    out = folder / "isolates.parquet"
    period = {"start": date(2024, 1, 1), "end": date(2025, 12, 31)}
    with open_warehouse(f"duckdb://{database}") as open_table:
        assert extract(DATASET, open_table, period, out) > 10_000
    return out


def test_the_hospital_s_antibiogram_leaves_but_its_report_is_read(
    root: Path, template: Template, extracted: Path, tmp_path: Path, engine: WarmEngine
) -> None:
    run, breakpoints = tmp_path / "run", tmp_path / "breakpoints.csv"
    breakpoints.write_text(BREAKPOINTS, encoding="utf-8")
    sources = {"isolates": extracted, "breakpoints": breakpoints}
    result = run_template(template, run, sources, asked(template, **YEARS), "fr", engine)
    assert result.failure is None
    assert {one.name for one in result.outputs} == set(template.spec.outputs) - {"report"}
    assert all(one.alternative for one in result.outputs if one.kind is OutputKind.FIGURE)
    verdicts = judge(root, template, run, result)
    held = {name for name, verdict in verdicts.items() if verdict is not Verdict.PASS}
    assert held == {"report"}
    folder, outputs = read_leaving(run, result.outputs)
    tables = [one for one in outputs if one.kind is OutputKind.TABLE]
    left = {one.name: pd.read_csv(folder / one.file) for one in tables}
    assert (left["antibiogram"]["isolates"].dropna() >= 30).all()
    versions = left["versions"].set_index(["pair", "version"])
    tzp = versions.loc["B_ESCHR_COLI TZP"]
    assert tzp.at["EUCAST 2020", "share_i"] > 0
    assert tzp.at["EUCAST 2025", "share_i"] == 0
    assert tzp.at["EUCAST 2025", "share_r"] > tzp.at["EUCAST 2020", "share_r"]
    texts = published_texts(run).replace("\\", "")
    assert "8/16 → 8/8 (EUCAST 2025)" in texts
    assert "hors des tableaux\N{NO-BREAK SPACE}: K. pneumoniae – Amoxicilline." in texts
    assert "B_KLBSL_PNMN AMX" not in set(left["antibiogram"]["pair"])
    assert "B_KLBSL_PNMN AMC" in set(left["antibiogram"]["pair"])


def test_a_version_without_its_file_is_refused(
    template: Template, extracted: Path, tmp_path: Path, engine: WarmEngine
) -> None:
    values = asked(template, **YEARS, breakpoints="EUCAST 2024")
    result = run_template(template, tmp_path / "run", {"isolates": extracted}, values, "fr", engine)
    assert result.failure is not None
    assert result.failure.kind is FailureKind.DATA_PROBLEM
    assert result.failure.problem == "breakpoints_missing"
    assert result.outputs == ()


HEADER = (
    "guideline,type,host,method,site,mo,rank_index,ab,ref_tbl,disk_dose,breakpoint_S,breakpoint_R,"
    "uti,is_SDD\n"
)
BREAKPOINTS = HEADER + "".join(
    f"EUCAST {year},human,human,MIC,,B_[ORD]_ENTRBCTR,5,TZP,E,,8.0,{limit},False,False\n"
    for year, limit in ((2020, 16.0), (2025, 8.0))
)
