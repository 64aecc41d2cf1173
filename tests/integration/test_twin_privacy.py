"""Nobody of the source is in a twin; twins that betray somebody are found by the same checks."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipelines.twins import MadeTwin, NotMade, make_twins
from tests.twin_checks import draw, find_exact, find_leaks, find_moved, means_of, tell
from tests.twin_house import source_of, twin_house
from wardbook.datasets.blood_tubes import DEVICES, SITES, TRANSPORTS, TUBES
from wardbook.disclosure import Policy, load_policies
from wardbook.hospital.canaries import MARKS
from wardbook.hospital.stays import generate_stays
from wardbook.shipped import shipped_folder
from wardbook.twin.marginals import Marginals
from wardbook.twin.plans import find_plan
from wardbook.twin.roles import Plan

PERSONS = 500
IPP = "8012345678"
"""Looks like the hospital's number of a patient; stands where a ward's code should."""
RARE = "Mme Hirondelle, chambre 12"
"""A free text in the place of a code."""
FAR = {"potassium": 19.87, "haemolysis_index": 98_765.0, "drawn": pd.Timestamp("1999-12-31 23:58")}


@dataclass(frozen=True)
class Source:
    """Rows of a source, as its plan types them, and all that left it."""

    plan: Plan
    policy: Policy
    frame: pd.DataFrame
    told: Marginals


def make_tubes(persons: int = PERSONS) -> pd.DataFrame:
    """Return tubes of persons, one of whom is unlike all others."""
    random = np.random.default_rng(5)
    size = persons * 4
    drawn = pd.Timestamp("2025-01-06") + pd.to_timedelta(random.integers(0, 300_000, size), "min")
    frame = pd.DataFrame(
        {
            "tube": [f"A{number:06d}" for number in range(size)],
            "patient": [f"P{random.integers(0, persons):05d}" for _ in range(size)],
            "ward": random.choice(["CARD", "CHIR", "URGE", IPP], size, p=[0.3, 0.2, 0.4, 0.1]),
            "ward_name": None,
            "drawn": drawn,
            "received": drawn + pd.to_timedelta(random.integers(5, 200, size), "min"),
            "type": random.choice(TUBES, size),
            "device": random.choice(DEVICES, size, p=[0.8, 0.15, 0.05]),
            "site": random.choice(SITES, size),
            "transport": random.choice(TRANSPORTS, size),
            "haemolysis_index": random.lognormal(2, 1, size).round(0),
            "index_unit": "mg/dL",
            "potassium": random.normal(4.2, 0.4, size).round(1),
        }
    )
    frame["ward_name"] = frame["ward"].map({"CARD": "Cardiologie", "CHIR": "Chirurgie"})
    return pd.concat([frame, one_more(frame, "P99999", 2, RARE)], ignore_index=True)


def one_more(frame: pd.DataFrame, patient: str, tubes: int, ward: str) -> pd.DataFrame:
    """Return the tubes of one patient whose every value lies far out."""
    return frame.tail(tubes).assign(
        tube=[f"{patient}-{number}" for number in range(tubes)],
        patient=patient,
        ward=ward,
        ward_name=None,
        received=pd.NaT,
        **FAR,
    )


@pytest.fixture(scope="module")
def tubes(tmp_path_factory: pytest.TempPathFactory) -> Source:
    plan = find_plan("blood-tubes")
    assert plan is not None
    policy = load_policies(shipped_folder("policies"))["fr-hospital"]
    frame = make_tubes()
    return Source(
        plan, policy, frame, tell(plan, frame, policy, tmp_path_factory.mktemp("t") / "a")
    )


def leaks_of(source: Source, twin: pd.DataFrame) -> str:
    return "; ".join(find_leaks(source.plan, source.frame, twin, source.policy))


def test_nobody_of_the_source_is_in_its_twin(tubes: Source) -> None:
    twin = draw(tubes.plan, tubes.told)
    assert leaks_of(tubes, twin) == ""
    assert list(find_exact(tubes.told.to_json(), tubes.policy)) == []
    told = tubes.told.to_json() + twin.to_csv()
    for planted in (IPP, RARE, "P99999", "A000001", "19.87", "98765", "1999"):
        assert planted not in told
    assert set(twin["ward"]) == {"CARD", "CHIR", "URGE"}
    by_ward = twin.groupby("ward")["ward_name"].agg(lambda names: set(names.dropna()))
    assert by_ward["CARD"] <= {"Cardiologie"}


def bootstrap(source: Source) -> pd.DataFrame:
    """Rows of the source with new identifiers: what is often taken for anonymous."""
    drawn = source.frame.sample(len(source.frame), replace=True, random_state=1)
    numbers = [f"TWIN{number}" for number in range(len(drawn))]
    return drawn.assign(tube=numbers, patient=numbers).reset_index(drop=True)


def exact_marginals(source: Source) -> pd.DataFrame:
    """Each column drawn by itself of all the values that it has."""
    drawn = {
        name: source.frame[name].sample(frac=1, random_state=number).to_numpy()
        for number, name in enumerate(source.frame.columns)
    }
    numbers = [f"TWIN{number}" for number in range(len(source.frame))]
    return pd.DataFrame(drawn).assign(tube=numbers, patient=numbers)


def kept_identifiers(source: Source) -> pd.DataFrame:
    twin = draw(source.plan, source.told)
    return twin.assign(patient=source.frame["patient"].head(len(twin)).reindex(twin.index))


@pytest.mark.parametrize(
    ("naive", "found"),
    [
        (bootstrap, "rows that one person has"),
        (exact_marginals, "ward: a code of too few persons"),
        (exact_marginals, "potassium: an end that is one person's"),
        (exact_marginals, "drawn: an end that is one person's"),
        (kept_identifiers, "patient: a name or an identifier of the source"),
    ],
)
def test_a_naive_twin_is_found_out(
    tubes: Source, naive: Callable[[Source], pd.DataFrame], found: str
) -> None:
    assert found in leaks_of(tubes, naive(tubes))


def test_one_patient_more_moves_no_figure_by_more_than_its_rounding(
    tubes: Source, tmp_path: Path
) -> None:
    more = one_more(tubes.frame, "P77777", 60, "CARD")
    after = tell(tubes.plan, pd.concat([tubes.frame, more]), tubes.policy, tmp_path / "b")
    before, now = tubes.told.to_json(), after.to_json()
    assert list(find_moved(before, now, tubes.policy)) == []
    for where, (_, means) in means_of(json.loads(now)).items():
        _, known = means_of(json.loads(before)).get(where, (0, ()))
        if len(known) == len(means):  # else it is told by more classes, or by fewer
            # By its rounding alone a mean moves by a step, and a step follows a class's width.
            widths = np.diff([means[0], *means]).max() if len(means) > 1 else means[0]
            assert np.abs(np.subtract(means, known)).max() <= widths, where
    assert "19.87" not in now
    assert "98765" not in now

    exact = replace(tubes.told, columns={**tubes.told.columns, "ward": counted(tubes.frame)})
    moved = replace(
        after, columns={**after.columns, "ward": counted(pd.concat([tubes.frame, more]))}
    )
    assert any("CARD" in one for one in find_moved(exact.to_json(), moved.to_json(), tubes.policy))
    assert any("ward" in one for one in find_exact(exact.to_json(), tubes.policy))


def counted(frame: pd.DataFrame) -> Any:
    """Return what is told of wards as nobody should tell it: all rows, as they are."""
    from wardbook.twin.marginals import Told

    return Told("category", groups=(((), tuple(frame["ward"].value_counts().items())),))


def test_names_and_numbers_of_the_hospital_stay_in_it(tmp_path: Path) -> None:
    """The generator plants what must never leave among its patients, in every column."""
    file = tmp_path / "data" / "stays.csv"
    file.parent.mkdir()
    generate_stays(file, patients=400, seed=11)
    sources = {"stays": source_of("hospital-stays", file)}
    with twin_house(tmp_path, sources) as house:
        (made,) = make_twins(house, "stays")
        assert isinstance(made, MadeTwin)
    told = made.file.read_text() + made.file.with_name("stays.hospital-stays.twin.json").read_text()
    source = pd.read_csv(file, sep=";", dtype=str)
    secret = {*MARKS, *source["ipp"], *source["name"], *source["room"].dropna()}
    names = {cell for row in made.file.read_text().splitlines() for cell in row.split(";")}
    assert not names & secret
    assert not [mark for mark in MARKS if mark in told]


def test_figures_that_hold_an_identifier_are_never_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were a code let through that looks like a patient's number, the file is not written."""
    file = tmp_path / "data" / "stays.csv"
    file.parent.mkdir()
    generate_stays(file, patients=200, seed=11)
    frame = pd.read_csv(file, sep=";", dtype=str)
    frame.assign(ward=IPP).to_csv(file, sep=";", index=False)
    with twin_house(tmp_path, {"stays": source_of("hospital-stays", file)}) as house:
        (told,) = make_twins(house, "stays")
        assert isinstance(told, NotMade)
        monkeypatch.setattr("wardbook.twin.gathering.scan", lambda *_, **__: ())
        (told,) = make_twins(house, "stays")
        assert isinstance(told, NotMade)
        assert "looks like an identifier" in told.reason
        assert IPP not in told.reason
        assert not list(house.settings.bench.twins.glob("*"))
