"""Each template gives the same released tables, whichever engine holds the hospital's data."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from pipelines.cutting import cut_run
from tests.acceptance.crash_form import LONG, chosen
from tests.on_engines import CASES, Case
from tests.tiny_warehouse import register, write_tiny
from wardbook.datasets import Dataset, find_dataset
from wardbook.disclosure import check_outputs, load_policies
from wardbook.disclosure.leaving import read_leaving
from wardbook.domain.output import OutputKind, releasable
from wardbook.domain.run import RunSpec, SourceFile
from wardbook.engines.warm_engine import WarmEngine
from wardbook.files import hash_file
from wardbook.hospital.building import build_hospital
from wardbook.hospital.building.postgresql import Place, copy_to_postgresql
from wardbook.template.parameters import decode_value, type_parameters
from wardbook.template.spec import Template, load_template
from wardbook.warehouse import extract, open_warehouse

if TYPE_CHECKING:
    import ibis.expr.types as ir

    OpenTable = Callable[[str], ir.Table]

TINY = Case(("stays",), 300, {"stays": True}, {"start": "2024-02-01"})
ALL: Mapping[str, Case] = {"tiny": TINY, **CASES}
NOW = datetime(2026, 11, 2, tzinfo=UTC)
ENGINES = ("duckdb", "postgresql", "spark")
pytestmark = [
    pytest.mark.spark,
    pytest.mark.postgresql,
    pytest.mark.xdist_group("every engine"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
    pytest.mark.skipif(
        shutil.which("java") is None,
        reason="Java is not installed (Debian package openjdk-17-jre-headless)",
    ),
]


@contextmanager
def new_database(server: str, name: str) -> Iterator[str]:
    with psycopg.connect(server.format(name="postgres"), autocommit=True) as admin:
        admin.execute(f'create database "{name}"')
    yield server.format(name=name)
    with psycopg.connect(server.format(name="postgres"), autocommit=True) as admin:
        admin.execute(f'drop database "{name}" with (force)')


@pytest.fixture(scope="module")
def hospitals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all cases' hospitals."""
    register()
    return tmp_path_factory.mktemp("hospitals")


@pytest.fixture(scope="module")
def spark(hospitals: Path) -> Iterator[OpenTable]:
    """What opens `CASE/cdm/TABLE` with Spark; one session for all tests."""
    with pytest.MonkeyPatch.context() as patch:
        # Half of the processor's time would go into making code faster that runs once.
        patch.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        with open_warehouse(f"spark://{hospitals}") as open_table:
            yield open_table


@contextmanager
def open_engines(
    hospitals: Path, name: str, spark: OpenTable, server: str
) -> Iterator[Mapping[str, OpenTable]]:
    """Build the hospital of a case; yields what opens its tables, by engine."""
    case, folder = ALL[name], hospitals / name
    if not folder.exists():
        build_hospital(folder, patients=case.patients, seed=case.seed, parts=case.parts)
    with ExitStack() as stack:
        url = stack.enter_context(new_database(server, name))
        copy_to_postgresql(folder / "cdm", Place(url, "public"))
        duckdb = stack.enter_context(open_warehouse(f"duckdb://{folder / 'hospital.duckdb'}"))
        postgresql = stack.enter_context(open_warehouse(url))
        yield {
            "duckdb": duckdb,
            "postgresql": postgresql,
            "spark": lambda table: spark(f"{name}/cdm/{table}"),
        }


@pytest.fixture(scope="module")
def notebooks() -> Iterator[WarmEngine]:
    with closing(WarmEngine()) as engine:
        yield engine


def dataset_of(template: Template, source: str) -> Dataset:
    kind = template.spec.sources[source].kind
    dataset = find_dataset(kind)
    assert dataset is not None, f"{kind} is no dataset"
    return dataset


def draw(
    template: Template, case: Case, open_table: OpenTable, folder: Path, root: Path
) -> dict[str, Path]:
    """Extract the sources of a case into `folder`; those that are files stand where they stand."""
    values, problems = type_parameters(template.spec, case.parameters)
    assert not problems
    asked = {name: decode_value(value) for name, value in values.items()}
    folder.mkdir()
    drawn = {}
    for name, place in case.sources.items():
        if place is not True:
            drawn[name] = root / place
            continue
        drawn[name] = folder / f"{name}.parquet"
        extract(dataset_of(template, name), open_table, asked, drawn[name])
    return drawn


def release(
    template: Template,
    case: Case,
    sources: Mapping[str, Path],
    folder: Path,
    root: Path,
    notebooks: WarmEngine,
) -> dict[str, bytes]:
    """Run the notebook; returns each released table's file as it leaves."""  # fmt: skip
    values, _ = type_parameters(template.spec, case.parameters)
    declared = template.spec.sources
    folder.mkdir()
    shutil.copy(template.notebook, folder / "notebook.ipynb")
    spec = RunSpec(
        key="test",
        request="test",
        template=template.spec.name,
        template_folder=str(template.folder),
        kernel=template.spec.kernel,
        language="fr",
        parameters=values,
        sources={
            name: SourceFile(str(path), hash_file(path), declared[name].sensitivity)
            for name, path in sources.items()
        },
        engine=template.spec.engine,
        cpus=template.spec.resources.cpus,
        memory_mb=template.spec.resources.memory_mb,
    )
    spec.write(folder)
    result = notebooks.execute(folder)
    assert result.failure is None, result.failure
    policy = load_policies(root / "policies")["fr-hospital"]
    checks = check_outputs(result.outputs, folder / "outputs", template.spec, spec, policy)
    checks = cut_run(folder, template.spec, policy, checks, lambda _: (), NOW)
    leaving, outputs = read_leaving(folder, result.outputs)
    names = releasable(checks)
    tables = {
        one.name: (leaving / one.file).read_bytes()
        for one in outputs
        if one.kind is OutputKind.TABLE and one.name in names
    }
    assert tables, "a template without a table that leaves shows nothing here"
    return tables


def find_template(name: str, root: Path, folder: Path) -> Template:
    return load_template(write_tiny(folder) if name == "tiny" else root / "templates" / name)


@pytest.mark.parametrize("name", ["tiny", *chosen(sorted(CASES), 4)])
def test_the_same_tables_are_released_on_every_engine(
    name: str,
    hospitals: Path,
    spark: OpenTable,
    postgresql_server: str,
    notebooks: WarmEngine,
    root: Path,
    tmp_path: Path,
) -> None:
    template, case = find_template(name, root, tmp_path / "catalogue"), ALL[name]
    extracts: dict[str, dict[str, bytes]] = {}
    released: dict[str, dict[str, bytes]] = {}
    with open_engines(hospitals, name, spark, postgresql_server) as engines:
        for engine, open_table in engines.items():
            sources = draw(template, case, open_table, tmp_path / engine, root)
            extracts[engine] = {source: path.read_bytes() for source, path in sources.items()}
            # Of the same bytes a notebook makes the same tables: shown for all in `make crash`.
            if engine != "postgresql" and (LONG or name == "tiny"):
                run = tmp_path / f"run-{engine}"
                released[engine] = release(template, case, sources, run, root, notebooks)
    assert tuple(extracts) == ENGINES
    for engine in ENGINES[1:]:
        assert extracts[engine] == extracts["duckdb"], f"the extracts differ on {engine}"
    assert released.get("spark") == released.get("duckdb")


def test_one_row_that_differs_is_found(
    hospitals: Path, spark: OpenTable, postgresql_server: str, root: Path, tmp_path: Path
) -> None:
    template, case = find_template("tiny", root, tmp_path / "catalogue"), ALL["tiny"]
    drawn = []
    change = (
        "UPDATE visit_detail SET visit_detail_end_datetime = visit_detail_end_datetime "
        "+ interval '1 minute' WHERE visit_detail_id = (SELECT max(visit_detail_id) "
        "FROM visit_detail WHERE visit_detail_start_date >= '2024-02-01')"
    )
    with open_engines(hospitals, "tiny", spark, postgresql_server) as engines:
        for number in range(2):
            if number:
                with psycopg.connect(postgresql_server.format(name="tiny")) as connection:
                    assert connection.execute(change).rowcount == 1
            of_duckdb = draw(template, case, engines["duckdb"], tmp_path / f"d{number}", root)
            other = draw(template, case, engines["postgresql"], tmp_path / f"p{number}", root)
            drawn.append([path.read_bytes() for path in (*of_duckdb.values(), *other.values())])
    assert drawn[0][0] == drawn[0][1]
    assert drawn[1][0] == drawn[0][0], "DuckDB's was not touched"
    assert drawn[1][1] != drawn[1][0]
