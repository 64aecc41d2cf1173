"""Twins of files and of a database: they fit, templates run on them, and nobody is in them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from pipelines.cli.data import data
from pipelines.cli.main import Context
from pipelines.cli.run import run
from pipelines.house import House
from pipelines.provenance import refuse_twins
from pipelines.sample_settings import SAMPLE
from pipelines.story import tick_until_quiet
from pipelines.twins import MadeTwin, NotMade, TwinRefusal, check_twins, make_twins
from pipelines.twins.choosing import needs_twin
from tests.integration.test_story import REVIEWER, Scene, open_scene, spf_folder
from tests.sample_report import make_run
from tests.sample_settings import load_sample
from tests.twin_house import source_of, twin_house, twin_settings
from wardbook.activity import synthetic
from wardbook.datasets import Dataset, find_dataset
from wardbook.datasets.finding import Expected
from wardbook.datasets.readiness import look_at
from wardbook.domain.output import Verdict
from wardbook.domain.run import RunSpec
from wardbook.domain.states import State
from wardbook.errors import EnvironmentFault, Fault, ForeignFault, SettingsFault
from wardbook.hospital.stays import generate_stays, read_stays
from wardbook.messages import say
from wardbook.settings import Settings, SourceSettings

__all__ = ["spf_folder"]
pytestmark = [pytest.mark.xdist_group("twins"), pytest.mark.usefixtures("lasting_server")]


@dataclass(frozen=True)
class Unit:
    """A unit's settings, and the commands as its operator and its analysts call them."""

    settings: Settings
    house: House

    @property
    def twins(self) -> Path:
        return self.settings.bench.twins

    def call(self, command: Any, *arguments: str | Path) -> Result:
        context = Context(Path("wardbook.toml"), os.environ)
        object.__setattr__(context, "settings", lambda: self.settings)
        return CliRunner().invoke(
            command,
            [*map(str, arguments)],
            obj=context,
            standalone_mode=False,
            catch_exceptions=False,
        )


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory, small_hospital: Path) -> Iterator[Unit]:
    place = tmp_path_factory.mktemp("twins")
    folder = place / "data"
    folder.mkdir()
    synthetic.write_wards(folder, seed=7, days=28)
    generate_stays(folder / "hospital.csv", patients=600, seed=7)
    visits = find_dataset("emergency-visits")
    assert visits is not None
    visits.read(folder / "emergency.csv").to_parquet(folder / "emergency.parquet")
    sources: Mapping[str, SourceSettings] = {
        "wards": source_of("ward-stays", folder / "stays.csv"),
        "emergency": source_of("emergency-visits", folder / "emergency.parquet"),
        "beds": source_of("ward-beds", folder / "beds.csv", "internal"),
        "line_list": source_of("hospital-stays", folder / "hospital.csv"),
        "warehouse": source_of("omop", f"duckdb://{small_hospital}"),
    }
    settings = twin_settings(place, sources)
    with twin_house(place, sources) as house:
        yield Unit(settings, house)


@pytest.mark.parametrize(
    ("source", "kind", "form"),
    [("wards", "ward-stays", "csv"), ("emergency", "emergency-visits", "parquet")],
)
def test_a_twin_reads_as_its_source_and_passes_its_checks(
    unit: Unit, source: str, kind: str, form: str
) -> None:
    (made,) = make_twins(unit.house, source)
    assert isinstance(made, MadeTwin)
    assert made.file == unit.twins / f"{source}.{kind}.{form}"
    dataset, path = find_dataset(kind), unit.settings.sources[source].path
    assert dataset is not None
    assert path is not None
    theirs, ours = dataset.read(path), dataset.read(made.file)
    assert ours.dtypes.to_dict() == theirs.dtypes.to_dict()
    assert worst_of(unit, dataset, ours) in (Verdict.PASS, None)
    assert len(ours) == pytest.approx(len(theirs), rel=0.1)
    column = dataset.place or "triage"
    for code, share in theirs[column].value_counts(normalize=True).items():
        assert (ours[column] == code).mean() == pytest.approx(share, abs=0.04), code
    repeated = ours.assign(**{dataset.key[0]: "T1"})
    assert worst_of(unit, dataset, repeated) is Verdict.REFUSE


def worst_of(unit: Unit, dataset: Dataset, frame: pd.DataFrame) -> Verdict | None:
    """Return the gravest that is found when data are looked at before a run."""
    now = unit.house.now().replace(tzinfo=None)
    found = {one.verdict for one in look_at(dataset, frame, "twin", Expected(now))}
    return next((one for one in (Verdict.REFUSE, Verdict.HOLD, Verdict.PASS) if one in found), None)


def test_the_same_seed_makes_the_same_rows_and_another_one_others(unit: Unit) -> None:
    def bytes_of(seed: int, rows: int | None = None) -> bytes:
        (made,) = make_twins(unit.house, "line_list", seed=seed, rows=rows)
        assert isinstance(made, MadeTwin)
        read_stays(made.file)
        assert rows is None or made.rows <= rows
        return made.file.read_bytes()

    first = bytes_of(1)
    assert bytes_of(1) == first
    assert bytes_of(2) != first
    assert len(bytes_of(1, rows=50)) < len(first) / 5


def test_templates_run_on_twins_and_every_page_says_so(unit: Unit, tmp_path: Path) -> None:
    done = unit.call(data, "twin", "warehouse", "--kind", "blood-tubes")
    assert done.return_value == 0, done.output
    assert "warehouse.blood-tubes.parquet" in done.stdout
    for source in ("wards", "emergency"):
        assert unit.call(data, "twin", source).return_value == 0
    period = ("-p", "start=2026-02-09", "-p", "end=2026-03-08")
    wards = ("--source", "stays=twin:wards", "--source", "emergency=twin:emergency")
    tubes = ("--source", "tubes=twin:warehouse", "-p", "start=2024-01-01", "-p", "end=2025-12-31")
    beds = ("--source", f"beds={unit.settings.sources['beds'].path}")
    for template, given, twins in (
        ("ward_activity", (*wards, *beds, *period, "--language", "fr"), ["emergency", "stays"]),
        ("haemolysis_origin", (*tubes, "--language", "en"), ["tubes"]),
    ):
        out = tmp_path / template
        done = unit.call(run, template, *given, "--out", out)
        assert done.return_value == 0, done.output
        assert json.loads((out / "run.json").read_text(encoding="utf-8"))["twins"] == twins
        page = (out / "report" / "index.html").read_text(encoding="utf-8")
        language = given[-1]
        assert say(language, "twin.band_title") in page  # type: ignore[arg-type]
        assert page.count('class="twin-band"') == 1
        assert page.count("twin-mark") >= page.count("<figcaption>") + page.count("<caption") > 0
        assert say(language, "twin.provenance") in page  # type: ignore[arg-type]
        assert f"synthetic stand-ins: {', '.join(twins)}" in done.output


def test_without_twins_no_page_speaks_of_them(tmp_path: Path) -> None:
    """The same page, with twins and without."""
    for twins in ((), ("Séjours",)):
        sample = make_run(tmp_path / str(len(twins)))
        sample.provenance = replace(sample.provenance, twins=twins)
        page = sample.render().joinpath("index.html").read_text(encoding="utf-8")
        assert ('class="twin-band"' in page, "twin-mark" in page) == (bool(twins), bool(twins))


def test_production_lets_nothing_out_that_was_made_of_twins(
    tmp_path: Path, spf_folder: Path
) -> None:
    with open_scene(tmp_path, spf_folder, f"sqlite:///{tmp_path / 'l.db'}") as scene:
        key = scene.file()
        scene.tick()
        held = scene.record(key)
        spec = scene.house.run_folder(str(held.work.run)) / "spec.json"
        honest = spec.read_text(encoding="utf-8")
        spec.write_text(json.dumps(json.loads(honest) | {"twins": ["stays"]}), encoding="utf-8")
        with pytest.raises(Fault, match="synthetic stand-ins"):
            refuse_twins(RunSpec.read(spec.parent))
        request = scene.gitlab(REVIEWER).mergerequests.get(held.links.merge_request)
        request.approve(sha=request.sha)
        outcome = tick_until_quiet(scene.house)
        assert "leaves nowhere" in " ".join(outcome.faults.values())
        assert scene.record(key).state is State.HELD
        assert published(scene) == []

        spec.write_text(honest, encoding="utf-8")
        scene.tick()
        assert scene.record(key).state is State.ANSWERED
        assert len(published(scene)) == 1


def published(scene: Scene) -> list[Path]:
    return list(scene.house.settings.site.folder.glob("reports/*/*/index.html"))


def test_a_twin_is_never_a_source_of_production(tmp_path: Path) -> None:
    def told(path: str) -> str:
        source = f'[sources.stays]\nkind = "hospital-stays"\npath = "{path}"\n'
        return f'{SAMPLE}\n{source}sensitivity = "public"\n'

    with pytest.raises(SettingsFault, match="rows are no source"):
        load_sample(tmp_path, told("data/../twins/stays.hospital-stays.csv"))
    assert "stays" in load_sample(tmp_path, told("data/stays.csv")).sources


def test_check_tells_a_twin_that_no_longer_fits(tmp_path: Path) -> None:
    file = tmp_path / "data" / "stays.csv"
    file.parent.mkdir()
    generate_stays(file, patients=300, seed=3)
    sources = {"stays": source_of("hospital-stays", file)}
    with twin_house(tmp_path, sources) as house:
        unit = Unit(house.settings, house)
        assert check_twins(house, "stays")[0].text == "has no twin yet"
        make_twins(house, "stays")
        done = unit.call(data, "twin", "stays", "--check")
        assert (done.return_value, "did not change" in done.output) == (0, True)

        generate_stays(file, patients=400, seed=3)
        os.utime(file, (1_700_000_000, 1_700_000_000))
        done = unit.call(data, "twin", "stays", "--check")
        assert done.return_value == 1
        assert "its file is of 2023-11-14" in done.output
        assert "it has about 400 persons, then 300" in done.output

        make_twins(house, "stays")
        assert check_twins(house, "stays")[0].current
        stricter = house.settings.disclosure.model_copy(update={"policy": "acro-default"})
        changed = house.settings.model_copy(update={"disclosure": stricter})
        assert "fr-hospital" in check_twins(House(changed, now=house.now), "stays")[0].text
        twin = unit.twins / "stays.hospital-stays.csv"
        twin.write_bytes(twin.read_bytes() + b"\n")
        assert "not the file that was made" in check_twins(house, "stays")[0].text
        twin.with_name("stays.hospital-stays.twin.json").unlink()
        assert "cannot be read" in check_twins(house, "stays")[0].text


def test_who_works_without_patients_needs_twins_of_persons_alone() -> None:
    file = Path("file.csv")
    assert needs_twin(source_of("ward-stays", file))
    assert needs_twin(source_of("ward-stays", file, "internal"))
    assert not needs_twin(source_of("ward-stays", file, "public"))
    assert not needs_twin(source_of("ward-beds", file, "internal"))
    assert needs_twin(source_of("ward-beds", file)), "somebody says that it is sensitive"


def test_each_bad_source_is_told_in_one_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    generate_stays(folder / "few.csv", patients=12, seed=3)
    generate_stays(folder / "stays.csv", patients=300, seed=3)
    header = (folder / "stays.csv").read_text(encoding="utf-8").partition("\n")[0]
    (folder / "empty.csv").write_bytes(b"")
    (folder / "header.csv").write_text(f"{header}\n", encoding="utf-8")
    (folder / "other.csv").write_text("patient,ward\n1,A\n", encoding="utf-8")
    (folder / "noise.parquet").write_bytes(b"\x00PAR\xff" * 20)
    names = ("few.csv", "empty.csv", "header.csv", "other.csv", "noise.parquet", "gone.csv")
    sources = {
        **{name.partition(".")[0]: source_of("hospital-stays", folder / name) for name in names},
        "public": source_of("hospital-stays", folder / "stays.csv", "public"),
        "beds": source_of("ward-beds", folder / "beds.csv", "internal"),
        "counts": source_of("test-counts", folder / "counts.csv"),
        "broken": source_of("omop", f"duckdb://{folder / 'noise.parquet'}"),
    }
    closed = source_of("hospital-stays", folder / "stays.csv")
    sources["closed"] = closed.model_copy(update={"services": ("Nobody's",)})
    with twin_house(tmp_path, sources) as house:
        for source, words in (
            ("nowhere", "no source 'nowhere' in the settings, only: few"),
            ("public", "public and needs no twin"),
            ("beds", "tells of no person and needs no twin"),
            ("closed", "open to no service"),
        ):
            with pytest.raises(TwinRefusal, match=words):
                make_twins(house, source)
        with pytest.raises(TwinRefusal, match="no data of the kind 'isolates', only hospital"):
            make_twins(house, "few", ["isolates"])
        with pytest.raises(TwinRefusal, match="-p start: nothing of that name is asked of few"):
            make_twins(house, "few", asked={"start": "2024-01-01"})
        (told,) = make_twins(house, "broken", ["blood-tubes"], asked={"start": "soon"})
        assert isinstance(told, NotMade)
        assert told.reason.startswith(
            "-p start: the template haemolysis_origin takes no such value"
        )
        with pytest.raises(ForeignFault, match="broken"):
            make_twins(house, "broken", ["blood-tubes"])
        for source, words in (
            ("few", "too few persons"),
            ("empty", "empty.csv"),
            ("header", "too few persons"),
            ("other", "other.csv: the column or columns ipp"),
            ("noise", "noise.parquet cannot be read"),
            ("gone", "gone.csv does not exist"),
            ("counts", "counts, not rows of persons"),
        ):
            (told,) = make_twins(house, source)
            assert isinstance(told, NotMade), source
            assert words in told.reason, told.reason
            assert "\n" not in told.reason
        done = Unit(house.settings, house).call(data, "twin", "few")
        assert done.return_value == 1
        assert "few.hospital-stays: not made: There are too few persons" in done.output
        assert not list(house.settings.bench.twins.glob("*")), "nothing is left of what failed"


def test_a_folder_that_takes_nothing_leaves_the_earlier_twin(tmp_path: Path) -> None:
    file = tmp_path / "data" / "stays.csv"
    file.parent.mkdir()
    generate_stays(file, patients=100, seed=3)
    sources = {"stays": source_of("hospital-stays", file)}
    with twin_house(tmp_path, sources) as house:
        house.settings.bench.twins.write_text("a file in the place of the folder")
        with pytest.raises(EnvironmentFault, match="Check the rights and the room"):
            make_twins(house, "stays")


def test_what_lies_beside_a_twin_is_all_that_it_is_made_of(unit: Unit) -> None:
    from wardbook.twin.drawing import draw_twin
    from wardbook.twin.marginals import Marginals
    from wardbook.twin.plans import find_plan
    from wardbook.twin.writing import write_twin

    (made,) = make_twins(unit.house, "wards")
    assert isinstance(made, MadeTwin)
    told = made.file.with_name("wards.ward-stays.twin.json").read_text(encoding="utf-8")
    plan, marginals = find_plan("ward-stays"), Marginals.from_json(told)
    assert plan is not None
    again = made.file.with_name("again.csv")
    write_twin(plan.dataset, draw_twin(plan, marginals, marginals.rows, 1), again, "csv")
    assert again.read_bytes() == made.file.read_bytes()
    again.unlink()
