"""Signals, run by the engine: on the embedded hospital, and on spontaneous reports."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.integration.test_activity_templates import judge
from tests.integration.test_templates_run import published_texts, run_template
from wardbook.datasets.drug_reactions import DATASET
from wardbook.disclosure.leaving import read_leaving
from wardbook.domain.output import OutputKind, Verdict
from wardbook.domain.run import FailureKind
from wardbook.engines.warm_engine import WarmEngine
from wardbook.hospital.building import build_hospital
from wardbook.hospital.parts.pharmacovigilance import RISKS
from wardbook.template.parameters import type_parameters
from wardbook.template.spec import Template, load_template
from wardbook.warehouse import extract, open_warehouse

pytestmark = [
    pytest.mark.xdist_group("pharmacovigilance"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
YEARS = {"start": "2024-01-01", "end": "2025-12-31"}
MASKED = "C01BD01 R58"


@pytest.fixture(scope="module")
def engine() -> Iterator[WarmEngine]:
    with closing(WarmEngine()) as engine:
        yield engine


@pytest.fixture(scope="module")
def template(root: Path) -> Template:
    return load_template(root / "templates/pharmacovigilance_signals")


def asked(template: Template, **texts: str) -> dict[str, object]:
    values, problems = type_parameters(template.spec, texts)
    assert not problems
    return values


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hospital")
    database = build_hospital(folder, patients=24_000, seed=5, parts=("pharmacovigilance",))
    out = folder / "reports.parquet"
    period = {"start": date(2024, 1, 1), "end": date(2025, 12, 31)}
    with open_warehouse(f"duckdb://{database}") as open_table:
        assert extract(DATASET, open_table, period, out) > 10_000
    return out


def test_the_hospital_s_signals_are_those_planted_and_leave(
    root: Path, template: Template, extracted: Path, tmp_path: Path, engine: WarmEngine
) -> None:
    run = tmp_path / "run"
    sources = {"reports": extracted}
    result = run_template(template, run, sources, asked(template, **YEARS), "fr", engine)
    assert result.failure is None
    assert all(one.alternative for one in result.outputs if one.kind is OutputKind.FIGURE)
    verdicts = judge(root, template, run, result)
    held = {name for name, verdict in verdicts.items() if verdict is not Verdict.PASS}
    assert held == {"report"}
    folder, outputs = read_leaving(run, result.outputs)
    tables = {one.name: one.file for one in outputs if one.kind is OutputKind.TABLE}
    signals = pd.read_csv(folder / tables["signals"]).set_index("pair")
    planted = {f"{drug} {event}" for drug, event in RISKS}
    found = set(signals.index[(signals["by_ic"] == 1) & (signals["q_value"] < 0.01)])
    assert found == planted - {MASKED}, "the masked pair is not seen among all"
    assert signals.at[MASKED, "evans"] == 0
    behind = pd.read_csv(folder / tables["behind"]).set_index("pair")
    assert behind.at[MASKED, "prr_low"] > 1
    texts = published_texts(run).replace("\\", "")
    assert "**Caché jusque-là\N{NO-BREAK SPACE}: Amiodarone – Hémorragie" in texts
    persons = pd.read_csv(run / "outputs/signals_persons.csv")
    assert (persons["patients"] >= 11).all()


def test_fewer_patients_than_the_policy_wants_are_held(
    root: Path, template: Template, extracted: Path, tmp_path: Path, engine: WarmEngine
) -> None:
    run = tmp_path / "run"
    values = asked(template, **YEARS, least="3", events="L51, E05")
    result = run_template(template, run, {"reports": extracted}, values, "en", engine)
    assert result.failure is None
    persons = pd.read_csv(run / "outputs/signals_persons.csv")
    small = persons["patients"] < 11
    signals = pd.read_csv(run / "outputs/signals.csv")
    assert set(signals["pair"].str.split().str[1]) == {"L51.2", "E05.8"}
    verdict = judge(root, template, run, result)["signals"]
    assert small.any()
    folder, outputs = read_leaving(run, result.outputs)
    left = {one.name: pd.read_csv(folder / one.file) for one in outputs if one.name == "signals"}
    shown = left["signals"].set_index("pair")["prr"] if verdict is Verdict.PASS else pd.Series()
    assert shown.reindex(persons["pair"][small]).isna().all(), "nothing of a small pair leaves"


def test_a_registry_of_cases_with_what_is_wrong_in_it(
    template: Template, tmp_path: Path, engine: WarmEngine
) -> None:
    """Spontaneous reports by hand: one strong pair, and rows that cannot be counted."""
    rng = np.random.default_rng(2)
    drugs, events = np.array(["J01XA01", "B01AA03", "A02BC01"]), np.array(["Rash", "Nausea"])
    lines = [
        f"C{n};P{n};2025-03-{1 + n % 28:02};{drugs[n % 3]};{rng.choice(events)};;"
        for n in range(300)
    ]
    lines += [f"D{n};Q{n};2025-04-01;J01XA01;Anaphylaxis;;" for n in range(20)]
    lines += [f"E{n};R{n};2025-04-01;B01AA03;Anaphylaxis;;" for n in range(3)]
    wrong = (
        "X1;S1;2025-04-01;aspirin;Rash;;",
        "X2;S2;2091-04-01;A02BC01;Rash;;",
        "X3;S3;2025-04-01;A02BC01;Rash;;",
        "X3;S4;2025-04-01;B01AA03;Rash;;",
        "C0;P0;2025-03-01;J01XA01;Rash;;",
        "C0;P0;2025-03-01;J01XA01;Rash;;",
    )
    file = tmp_path / "cases.csv"
    header = "report;patient;day;drug;event;drug_name;event_name"
    file.write_text("\n".join([header, *lines, *wrong]) + "\n", encoding="utf-8")
    run = tmp_path / "run"
    values = asked(template, start="2025-01-01", end="2025-12-31", least="3")
    result = run_template(template, run, {"reports": file}, values, "en", engine)
    assert result.failure is None
    signals = pd.read_csv(run / "outputs/signals.csv").set_index("pair")
    strong = signals.loc["J01XA01 Anaphylaxis"]
    assert strong["reports"] == 20
    assert strong["drug_reports"] == 120
    assert strong["event_reports"] == 23
    assert strong["prr"] == pytest.approx((20 / 120) / (3 / 203), rel=1e-3)
    assert signals.at["B01AA03 Anaphylaxis", "evans"] == 0
    texts = published_texts(run).replace("\\", "")
    said = template.texts("en")
    for key, count in (("drug", 1), ("future", 1), ("mixed", 2)):
        assert said[f"odd_{key}"].format(count=count, file="cases.csv") in texts, key
    assert "the same case, drug and event as another" in texts
    assert "this is a registry of reports" in texts

    broken = tmp_path / "broken.csv"
    broken.write_text(file.read_text().replace("2025-03-05", "2025-02-30"), encoding="utf-8")
    refused = run_template(template, tmp_path / "again", {"reports": broken}, values, "en", engine)
    assert refused.failure is not None
    assert refused.failure.kind is FailureKind.DATA_PROBLEM
    assert refused.failure.problem == "date_impossible"
