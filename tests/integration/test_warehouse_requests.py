"""A request on a database: extracted once, held where the data are not ready, credentials kept."""

from __future__ import annotations

import json
import stat
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from test_story import Scene, open_scene, spf_folder

from pipelines.circumstances import Circumstances
from pipelines.house import House
from pipelines.purge import plan, purge
from pipelines.reproduction.ingredients import Lost, Why, _find_source
from pipelines.why import decide_run, tell_change
from tests.tiny_warehouse import CELL, TEMPLATE, python_path, register
from wardbook.datasets.finding import Expected
from wardbook.domain.output import Verdict
from wardbook.domain.run import RunSpec, SourceFile
from wardbook.domain.states import State
from wardbook.engines.fence import has_fence
from wardbook.errors import ForeignFault
from wardbook.hospital.building import build_hospital
from wardbook.ledger.glance import glance
from wardbook.seal.evidence import Source
from wardbook.settings import SourceSettings
from wardbook.warehouse.apart import TooSlow, draw_sources
from wardbook.warehouse.drawing import draw, tell_version
from wardbook.warehouse.order import Draw, Warehouse

__all__ = ["spf_folder"]
pytestmark = [
    pytest.mark.xdist_group("warehouse requests"),
    pytest.mark.usefixtures("lasting_server", "_tiny"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
]
PASSWORD = "Hortensia-1957"
NOW = datetime(2026, 1, 2, 5, tzinfo=UTC)  # the hospital's data end with 2025


@pytest.fixture
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    register()
    monkeypatch.setenv("PYTHONPATH", python_path())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_hospital(tmp_path_factory.mktemp("cdw"), patients=400, seed=5, parts=("stays",))


@pytest.fixture
def database(built: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    copy = tmp_path / "cdw.duckdb"
    copy.write_bytes(built.read_bytes())
    return copy


def change(database: Path, *statements: str) -> None:
    with duckdb.connect(str(database)) as connection:
        for statement in statements:
            connection.execute(statement)


def load_anew(database: Path, day: str = "2026-01-01") -> None:
    change(database, f"UPDATE cdm_source SET cdm_release_date = '{day}'")


class Unit:
    """A unit with a database, and one request on it."""

    def __init__(self, scene: Scene, key: str) -> None:
        self.scene, self.key, self.house = scene, key, scene.house

    @property
    def extracts(self) -> list[Path]:
        return sorted((self.house.settings.unit.state / "extracts").glob("*"))

    def tick(self) -> None:
        self.scene.tick()

    @property
    def folder(self) -> Path:
        return self.house.run_folder(str(self.scene.record(self.key).work.run))

    def told(self) -> list[str]:
        seen = glance(self.house.settings.ledger, self.key)
        now = Circumstances(self.house.settings, self.house.now)
        decision = decide_run(seen.records[0], now, seen.waiting.get(self.key, ()))
        return [t for one in decision.changes for t in tell_change(one, now.known_environment)]


def open_unit(
    tmp_path: Path, spf: Path, ledger: str, database: Path, code: str = CELL, **source: Any
) -> Iterator[Unit]:
    given = {"kind": "omop", "address": f"duckdb://{database}", "sensitivity": "sensitive"}
    one = SourceSettings.model_validate(given | {"password": PASSWORD} | source)
    with open_scene(
        tmp_path / "unit", spf, ledger, code=code, declared=TEMPLATE, now=lambda: NOW
    ) as scene:
        settings = scene.house.settings
        sources = {**settings.sources, "cdw": one}
        with House(settings.model_copy(update={"sources": sources}), now=lambda: NOW) as house:
            scene.house = house
            yield Unit(scene, scene.file(parameters="start = 2024-02-01\nsource.stays = cdw"))


@pytest.fixture
def unit(
    tmp_path: Path,
    spf_folder: Path,
    story_ledger_url: str,
    database: Path,
    request: pytest.FixtureRequest,
) -> Iterator[Unit]:
    more = getattr(request, "param", {})
    yield from open_unit(tmp_path, spf_folder, story_ledger_url, database, **more)


def test_unchanged_data_are_extracted_once_and_the_notebook_gets_the_file(
    unit: Unit, database: Path
) -> None:
    unit.tick()
    record = unit.scene.record(unit.key)
    assert record.state is State.HELD, record.work.failure
    (extract,) = unit.extracts
    assert stat.S_IMODE(extract.stat().st_mode) == 0o600
    assert stat.S_IMODE(extract.parent.stat().st_mode) == 0o700
    spec = RunSpec.read(unit.folder)
    assert spec.sources["stays"].path == str(extract)
    wanted = "SELECT count(*) FROM visit_detail WHERE visit_detail_start_date >= '2024-02-01'"
    with duckdb.connect(str(database), read_only=True) as connection:
        (count,) = connection.execute(wanted).fetchone() or (0,)
    assert pd.read_csv(unit.folder / "outputs" / "by_ward.csv")["stays"].sum() == count > 0
    assert unit.told() == []
    made = extract.stat().st_ino
    assert record.work.made_from is not None
    assert record.work.made_from.sources["stays"].source == "cdw"
    load_anew(database)
    assert unit.told() == ['source "cdw": database loaded anew']
    assert [one.stat().st_ino for one in unit.extracts] == [made]
    require_purging(unit, extract)
    require_reproducing(unit, extract)


def require_reproducing(unit: Unit, extract: Path) -> None:
    """An edition is made again of the extract that stands, else of a copy; else it says why not."""
    run = str(unit.scene.record(unit.key).work.run)
    digest = RunSpec.read(unit.folder).sources["stays"].sha256
    source = Source("stays", "cdw", digest, NOW)
    found = _find_source(unit.house, run, source, None)
    assert isinstance(found, SourceFile)
    assert (found.path, found.sha256) == (str(extract), digest)
    copy = extract.rename(unit.house.settings.unit.state / "copy.parquet")
    lost = _find_source(unit.house, run, source, None)
    assert isinstance(lost, Lost)
    assert lost.why is Why.EXTRACT_GONE
    assert isinstance(_find_source(unit.house, run, source, copy), SourceFile)


def require_purging(unit: Unit, extract: Path) -> None:
    """What a run has read stays as long as the run; what none has read goes."""
    orphan = extract.with_name(f"cdw-{'0' * 32}.parquet")
    orphan.write_bytes(extract.read_bytes())
    retention = unit.house.settings.retention.model_copy(update={"runs_days": 0})
    settings = unit.house.settings.model_copy(update={"retention": retention})
    later = datetime.now(UTC).replace(year=datetime.now(UTC).year + 1)
    with House(settings, now=lambda: later) as house:
        due = [one.name for one in plan(house) if str(one.category) == "extract"]
        assert due == [orphan.name]
        purge(house, "rfaure")
    assert unit.extracts == [extract]


@pytest.mark.parametrize(
    "unit", [{"purposes": ["care"], "services": ["Direction médicale"]}], indirect=True
)
def test_a_source_that_was_closed_meanwhile_is_not_read(unit: Unit) -> None:
    closed = unit.house.settings.sources["cdw"].model_copy(update={"purposes": ("research",)})
    from pipelines.story import sync

    sync(unit.house)  # past the gate, nothing run
    sources = {**unit.house.settings.sources, "cdw": closed}
    with House(
        unit.house.settings.model_copy(update={"sources": sources}), now=lambda: NOW
    ) as house:
        unit.scene.house = house
        unit.scene.tick()
        record = unit.scene.record(unit.key)
    assert record.state in {State.FAILED, State.REFUSED}
    assert unit.extracts == []


RENAMED = (
    "UPDATE care_site SET care_site_source_value = 'NEUF' WHERE care_site_id = 2",
    "UPDATE visit_detail SET care_site_id = 1 WHERE care_site_id = 2",
    "UPDATE visit_detail SET care_site_id = 2 WHERE care_site_id = 1 "
    "AND visit_detail_start_date >= '2025-01-01'",
)


def test_data_that_are_not_ready_hold_or_fail_and_mended_data_cure_it(
    unit: Unit, database: Path
) -> None:
    change(database, *RENAMED, "UPDATE person SET gender_source_value = 'Dupont'")
    unit.tick()
    record = unit.scene.record(unit.key)
    assert record.state is State.FAILED
    failure = record.work.failure
    assert failure is not None
    assert (failure.problem, failure.details["column"]) == ("values_unknown", "sex")
    assert not (unit.folder / "executed.ipynb").exists()
    assert "Dupont" not in "\n".join(unit.scene.comments(unit.key))
    change(database, "UPDATE person SET gender_source_value = 'F'")
    load_anew(database)
    unit.tick()
    record = unit.scene.record(unit.key)
    assert record.state is State.HELD, "mended data cure it by themselves"
    held = [one for one in record.work.checks if one.rule == "readiness"]
    assert {one.reason for one in held} == {"data.place_renamed"}, held
    assert all(one.verdict is Verdict.HOLD for one in held)
    assert dict(held[0].details)["other"] == "NEUF"


# --- credentials ----------------------------------------------------------------------------------

SPYING = """
import json, os, pathlib
import wardbook as wb
became = {{}}
def attempt(name, act):
    try:
        became[name] = str(act())
    except OSError as error:
        became[name] = type(error).__name__
attempt("password", lambda: open({secret!r}).read())
attempt("database", lambda: open({database!r}, "rb").read(4))
attempt("settings", lambda: open({settings!r}).read())
attempt("ledger", lambda: os.listdir({state!r}))
attempt("extracts", lambda: os.listdir(wb.source("stays").parent))
attempt("engine", lambda: open(f"/proc/{{os.getppid()}}/environ").read())
attempt("command", lambda: open(f"/proc/{{os.getppid()}}/cmdline").read())
attempt("own", lambda: dict(os.environ))
attempt("spec", lambda: open("../../spec.json").read())
attempt("source", lambda: wb.source("stays").stat().st_size)
print(json.dumps(became))
"""


@pytest.mark.skipif(not has_fence(), reason="this kernel has no Landlock")
@pytest.mark.parametrize("opened", [False, True], ids=["fenced", "control"])
def test_a_notebook_reaches_no_credential(
    opened: bool, tmp_path: Path, spf_folder: Path, story_ledger_url: str, database: Path
) -> None:
    secret = tmp_path / "secrets" / "cdw"
    secret.parent.mkdir()
    secret.write_text(PASSWORD)
    world = tmp_path / "unit" / "world"
    cell = SPYING.format(
        secret=str(secret), database=str(database), settings=str(world / "wardbook.toml"),
        state=str(world / "state"),
    )  # fmt: skip
    for unit in open_unit(tmp_path, spf_folder, story_ledger_url, database, code=cell + CELL):
        if opened:
            at = unit.house.settings.unit.model_copy(update={"open_to": (secret.parent,)})
            unit.house.settings = unit.house.settings.model_copy(update={"unit": at})
        unit.tick()
        assert unit.scene.record(unit.key).state is State.HELD
        executed = json.loads((unit.folder / "executed.ipynb").read_text())
        shown = "".join(executed["cells"][0]["outputs"][0]["text"])
        became = json.loads(shown)
        assert int(became.pop("source")) > 0
        given = became.pop("own") + became.pop("spec")
        assert became.pop("password") == (PASSWORD if opened else "PermissionError")
        assert PASSWORD not in given + str(became)
        assert set(became.values()) == {"PermissionError"}, became
        state = unit.house.settings.unit.state
        kept = [f for f in state.rglob("*") if f.is_file() and PASSWORD.encode() in f.read_bytes()]
        assert [f.name for f in kept] == (["executed.ipynb"] if opened else [])


def test_the_credential_travels_on_standard_input_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy = tmp_path / "spy"
    seen = tmp_path / "seen.json"
    spy.write_text(
        f"#!{sys.executable}\nimport json, os, sys\n"
        f"told = [sys.argv, dict(os.environ), sys.stdin.read()]\n"
        f"open({str(seen)!r}, 'w').write(json.dumps(told))\nprint('[{{}}]'[:0] + '[]')\n"
    )
    spy.chmod(0o700)
    monkeypatch.setenv("WARDBOOK_SOURCE_CDW_PASSWORD", PASSWORD)
    monkeypatch.setattr("wardbook.warehouse.apart.sys.executable", str(spy))
    warehouse = Warehouse("postgresql://reader@cdw/omop", password=PASSWORD)
    assert PASSWORD not in repr(warehouse)
    expected = Expected(NOW.replace(tzinfo=None))
    draw_sources([Draw("cdw", "tiny-stays", tmp_path / "x", expected, {}, warehouse)], 30)
    arguments, environment, order = json.loads(seen.read_text())
    assert PASSWORD in order
    assert PASSWORD not in json.dumps([arguments, environment])


# --- faults ---------------------------------------------------------------------------------------


def draw_of(database: Path | str, out: Path, kind: str = "tiny-stays", **form: Any) -> Draw:
    address = database if isinstance(database, str) else f"duckdb://{database}"
    warehouse = Warehouse(address, password=PASSWORD, **form)
    return Draw("cdw", kind, out, Expected(NOW.replace(tzinfo=None)), {}, warehouse)


def test_a_database_that_is_away_is_a_fault_told_without_its_drivers_words(tmp_path: Path) -> None:
    with pytest.raises(ForeignFault) as caught:
        draw_sources([draw_of("postgresql://reader@127.0.0.1:1/omop", tmp_path / "x.parquet")], 60)
    assert "cdw: the database could not be read" in str(caught.value)
    assert PASSWORD not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)


def test_a_database_of_another_form_is_a_problem_of_the_data(
    database: Path, tmp_path: Path
) -> None:
    out = tmp_path / "x.parquet"
    drawn = draw(draw_of(database, out, tables={"person": "patients"}))
    assert drawn.problem is not None
    assert (drawn.problem.code, drawn.problem.details["column"]) == ("form_differs", "patients")
    change(database, "ALTER TABLE person RENAME gender_source_value TO sexe")
    drawn = draw(draw_of(database, out))
    assert drawn.problem is not None
    assert drawn.problem.code == "form_differs"
    assert list(tmp_path.glob("*.parquet*")) == []
    drawn = tell_version("cdw", Warehouse(f"duckdb://{database}"), "nowhere")
    assert drawn.problem is not None
    assert drawn.problem.code == "no_view"


def test_what_takes_too_long_is_ended(database: Path, tmp_path: Path) -> None:
    with pytest.raises(TooSlow):
        draw_sources([draw_of(database, tmp_path / "x.parquet")], 0.05)
    assert list(tmp_path.glob("*.parquet*")) == []


def test_a_version_changes_with_the_loading_and_with_new_rows(database: Path) -> None:
    def version() -> str:
        return tell_version("cdw", Warehouse(f"duckdb://{database}"), "tiny-stays").version

    seen = [version(), version()]
    assert seen[0] == seen[1]
    load_anew(database)
    seen.append(version())
    last = "FROM visit_detail ORDER BY visit_detail_id DESC LIMIT 1"
    one_more = f"SELECT * REPLACE (visit_detail_id + 1 AS visit_detail_id) {last}"
    change(database, f"INSERT INTO visit_detail {one_more}")
    seen.append(version())
    assert len(set(seen)) == 3
