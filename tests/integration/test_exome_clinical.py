"""The template on variants and phenotypes: whole runs, and attacks on what it releases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.integration.test_activity_templates import judge
from tests.integration.test_templates_run import published_texts, run_template
from wardbook.datasets import find_dataset
from wardbook.disclosure.leaving import read_leaving
from wardbook.domain.output import OutputKind, Verdict
from wardbook.domain.run import RunResult
from wardbook.engines.warm_engine import WarmEngine
from wardbook.hospital.building import build_hospital
from wardbook.hospital.parts.exome import EFFECTS, UNKNOWN_GENE
from wardbook.template.spec import load_template
from wardbook.warehouse import extract, open_warehouse

GENES = ["ABCA4", "CFTR", "KCNQ1", "LDLR", "MYBPC3", "MYH7", "NF1", "PTEN", "TP53"]
ASKED = {
    "phenotypes": ["HP:0001639", "HP:0003124"],
    "qualifying": "pathogenic",
    "genes": GENES,
}
COUNTS = ["carriers", "carriers_having", "carriers_lacking", "others_having", "others_lacking"]
pytestmark = [
    pytest.mark.xdist_group("exome"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@dataclass(frozen=True)
class Released:
    """A run, its verdicts, and the tables as they leave."""

    folder: Path
    result: RunResult
    verdicts: dict[str, Verdict]
    tables: dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hospital")
    return build_hospital(folder, patients=8_000, seed=4, parts=("exome",))


@pytest.fixture(scope="module")
def engine() -> Iterator[WarmEngine]:
    with closing(WarmEngine()) as engine:
        yield engine


@pytest.fixture(scope="module")
def sources(database: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("extracts")
    kinds = {"patients": "exome-patients", "variants": "exome-variants", "phenotypes": "phenotypes"}
    with open_warehouse(f"duckdb://{database}") as open_table:
        for name, kind in kinds.items():
            dataset = find_dataset(kind)
            assert dataset is not None
            extract(dataset, open_table, ASKED, folder / f"{name}.parquet")
    return {name: folder / f"{name}.parquet" for name in kinds}


@pytest.fixture(scope="module")
def released(
    root: Path,
    sources: dict[str, Path],
    engine: WarmEngine,
    tmp_path_factory: pytest.TempPathFactory,
) -> Released:
    template = load_template(root / "templates" / "exome_clinical")
    folder = tmp_path_factory.mktemp("run") / "run"
    result = run_template(template, folder, sources, ASKED, engine=engine)
    assert result.failure is None
    verdicts = judge(root, template, folder, result)
    leaving, outputs = read_leaving(folder, result.outputs)
    tables = {
        one.name: pd.read_csv(leaving / one.file)
        for one in outputs
        if one.kind is OutputKind.TABLE and verdicts[one.name] is Verdict.PASS
    }
    return Released(folder, result, verdicts, tables)


def test_the_planted_genes_stand_out_and_the_report_waits_for_a_person(released: Released) -> None:
    held = {name for name, one in released.verdicts.items() if one is not Verdict.PASS}
    assert held == {"report"}
    assert {"phenotypes", "carriers", "burden", "enrichment"} == set(released.tables)
    found = released.tables["burden"]
    significant = set(found.loc[found["q"] < 0.05, "term"])
    planted = {f"{gene} {code}" for code in ASKED["phenotypes"] for gene in EFFECTS[code]}
    assert significant & planted
    assert len(significant - planted) <= 1
    assert all(one.alternative for one in released.result.outputs if one.kind is OutputKind.FIGURE)
    said = published_texts(released.folder)
    assert "Variants laissés de côté" in said
    assert UNKNOWN_GENE not in said


def recover(carriers: pd.DataFrame, phenotypes: pd.DataFrame) -> set[tuple[str, str]]:
    """Work out what is hidden, by all that is public: what an attacker does.

    A gene's carriers are those of its other rows; who has a phenotype, and all patients, stand in
    the table of phenotypes; carriers and others, with and without, add up.
    """
    totals = phenotypes.set_index("phenotype")
    found = set()
    for (gene, code), row in carriers.set_index(["gene", "phenotype"]).iterrows():
        known = row.to_dict()
        of_gene = carriers.loc[carriers["gene"] == gene, "carriers"].dropna()
        facts = {"carriers": of_gene.iloc[0] if len(of_gene) else None}
        hidden = pd.isna(known["carriers_having"])
        known |= {name: value for name, value in facts.items() if value is not None}
        ill, all_of_them = totals.loc[code, "having"], totals.loc[code, "patients"]
        for _ in range(4):
            sums = (
                ("carriers_having", known["carriers"] - known["carriers_lacking"]),
                ("carriers_having", ill - known["others_having"]),
                ("others_lacking", all_of_them - ill - known["carriers_lacking"]),
                ("carriers_lacking", all_of_them - ill - known["others_lacking"]),
            )
            for name, value in sums:
                if pd.isna(known[name]) and not pd.isna(value):
                    known[name] = value
        if hidden and not pd.isna(known["carriers_having"]):
            found.add((str(gene), str(code)))
    return found


def test_nobody_can_be_singled_out_of_what_is_released(released: Released) -> None:
    carriers, phenotypes = (released.tables[name] for name in ("carriers", "phenotypes"))
    exact = pd.read_csv(released.folder / "outputs/carriers.csv")
    small = (exact[COUNTS] < 11).any(axis=1)
    assert small.any(), "there is something to find"
    assert carriers.loc[small.to_numpy(), COUNTS].isna().all(axis=None), "small rows are empty"
    assert recover(carriers, phenotypes) == set()
    told = set(released.tables["burden"]["term"]) | set(released.tables["enrichment"]["term"])
    hidden = exact.loc[small, "gene"] + " " + exact.loc[small, "phenotype"]
    assert told.isdisjoint(hidden), "an odds ratio would tell the counts"


def test_the_attack_succeeds_where_only_the_small_counts_are_hidden(released: Released) -> None:
    exact = pd.read_csv(released.folder / "outputs/carriers.csv")
    careless = exact.copy()
    careless[COUNTS] = exact[COUNTS].astype(float).where(exact[COUNTS] >= 11)
    assert recover(careless, released.tables["phenotypes"])


def test_no_variant_and_no_person_is_in_anything_of_the_run(
    released: Released, sources: dict[str, Path]
) -> None:
    variants = pd.read_parquet(sources["variants"])
    assert "variant" not in variants.columns, "the names do not leave the database"
    for name, table in released.tables.items():
        assert {"person", "call", "variant", "zygosity"}.isdisjoint(table.columns), name
    notebook = (released.folder / "executed.ipynb").read_text(encoding="utf-8")
    assert ":c." not in notebook
    shown = json.loads(notebook)
    texts = json.dumps([cell["outputs"] for cell in shown["cells"]])
    assert "heterozygous" not in texts


VARIANTS = """
[outputs.variants]
kind = "table"
title = { fr = "Variants", en = "Variants" }
sensitivity = "internal"
channel = "site"
dimensions = ["gene", "frequency"]
count = "carriers"
population = "patients of the exome panel, by variant"

[outputs.variants.columns]
gene = { fr = "Gène", en = "Gene" }
frequency = { fr = "Fréquence", en = "Frequency" }
carriers = { fr = "Porteurs", en = "Carriers" }
"""
CELL = """
by = variants.groupby(["gene", "frequency"])["person"].nunique().reset_index(name="carriers")
wb.table("variants", by.head(40), show=False)
"""


def with_cell(root: Path, folder: Path, declared: str) -> Path:
    """Return a copy of the template whose notebook lists rare variants."""
    origin, copy = root / "templates" / "exome_clinical", folder / "exome_clinical"
    copy.mkdir()
    for file in origin.glob("*.*"):
        (copy / file.name).write_bytes(file.read_bytes())
    spec = (origin / "template.toml").read_text(encoding="utf-8")
    (copy / "template.toml").write_text(spec + declared, encoding="utf-8")
    notebook: dict[str, Any] = json.loads((origin / "notebook.ipynb").read_text(encoding="utf-8"))
    cell = dict(notebook["cells"][-1], id="variants", source=CELL.splitlines(keepends=True))
    notebook["cells"].append(cell)
    (copy / "notebook.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    return copy


def test_a_table_of_rare_variants_is_refused_or_leaves_empty(
    root: Path, sources: dict[str, Path], engine: WarmEngine, tmp_path: Path
) -> None:
    for number, declared in enumerate(("", VARIANTS)):
        (tmp_path / str(number)).mkdir()
        template = load_template(with_cell(root, tmp_path / str(number), declared))
        folder = tmp_path / f"run{number}"
        asked = ASKED | {"genes": ["PTEN"]}
        result = run_template(template, folder, sources, asked, engine=engine)
        if not declared:
            assert result.failure is not None, "what is not declared cannot be written"
            continue
        assert result.failure is None
        judge(root, template, folder, result)
        leaving, outputs = read_leaving(folder, result.outputs)
        file = next(one.file for one in outputs if one.name == "variants")
        exact = pd.read_csv(folder / "outputs/variants.csv")
        assert exact["carriers"].max() < 11
        assert pd.read_csv(leaving / file)["carriers"].isna().all()


def test_a_phenotype_that_nobody_has_is_told(
    root: Path, sources: dict[str, Path], engine: WarmEngine, tmp_path: Path
) -> None:
    template = load_template(root / "templates" / "exome_clinical")
    asked = ASKED | {"phenotypes": ["HP:9999999"]}
    result = run_template(template, tmp_path / "run", sources, asked, engine=engine)
    assert result.failure is not None
    assert result.failure.problem == "phenotype_unknown"
    assert result.outputs == ()
