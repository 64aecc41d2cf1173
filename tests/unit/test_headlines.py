"""Headlines: what may be declared, which cell is read, how it is written, and what is withheld."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from wardbook.headlines import Headline
from wardbook.headlines.reading import LeftTable, read_headlines
from wardbook.template.spec import TemplateSpec, load_catalogue

DECLARED = """
name = "t"
version = "1"
title = { fr = "T", en = "T" }
question = { fr = "?", en = "?" }
[outputs.daily]
kind = "table"
title = { fr = "T", en = "T" }
sensitivity = "public"
channel = "site"
dimensions = ["day", "ward"]
time = "day"
labels = { name = "ward" }
count = "n"
measures = { part = { statistic = "count" } }
[outputs.daily.columns]
day = { fr = "Jour", en = "Day" }
ward = { fr = "Service", en = "Ward" }
name = { fr = "Nom", en = "Name" }
n = { fr = "Patients", en = "Patients" }
part = { fr = "Part", en = "Share" }
[headlines.patients]
label = { fr = "Patients", en = "Patients" }
output = "daily"
column = "n"
where = { ward = "A" }
"""
TABLE = """day,ward,name,n,part
2026-01-01,A,Alpha,12000,0.1
2026-01-01,B,Beta,7,0.2
2026-01-08,A,Alpha,12345,0.1234
2026-01-08,B,Beta,8,0.5
"""


def spec_of(**changes: Any) -> TemplateSpec:
    raw = tomllib.loads(DECLARED)
    raw["headlines"]["patients"] |= changes
    return TemplateSpec.model_validate(raw)


def read(text: str = TABLE, language: Any = "fr", hidden: Any = (), **changes: Any) -> list[Any]:
    left = {"daily": LeftTable(text.encode(), frozenset(hidden))}
    return list(read_headlines(spec_of(**changes), left, language))


def refusal(change: Any) -> str:
    raw = tomllib.loads(DECLARED)
    change(raw)
    with pytest.raises(ValidationError) as caught:
        TemplateSpec.model_validate(raw)
    return str(caught.value)


def set_headline(**changes: Any) -> Any:
    return lambda raw: raw["headlines"]["patients"].update(changes)


def set_output(**changes: Any) -> Any:
    return lambda raw: raw["outputs"]["daily"].update(changes)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (set_headline(output="nothing"), "headlines.patients.output: 'nothing' is not a declared"),
        (set_headline(column="rows"), "headlines.patients.column: 'rows' is not a column"),
        (set_headline(column="ward"), "headlines.patients.column: 'ward' places a row"),
        (set_headline(column="name"), "headlines.patients.column: 'name' places a row"),
        (set_headline(where={}), 'headlines.patients.where: with row = "last" it gives the code'),
        (set_headline(where={"ward": "A", "day": "x"}), "headlines.patients.where"),
        (set_headline(row="only"), "gives the code of day, ward"),
        (set_headline(row="only", where={"ward": "A", "day": "x"}, compare_days=7), "row = "),
        (set_headline(compare_days=0), "headlines.patients.compare_days"),
        (set_headline(decimals=9), "headlines.patients.decimals"),
        (set_headline(colour="red"), "headlines.patients.colour"),
        (set_headline(format="percent", unit={"fr": "x", "en": "x"}), "writes its own sign"),
        (set_headline(label="Patients"), "headlines.patients.label"),
        (set_output(time=""), "headlines.patients.row: 'daily' has no `time`"),
        (set_output(sensitivity="sensitive", channel="share"), "'daily' is sensitive"),
        (set_output(channel="share"), "'daily' does not leave in clear"),
        (set_output(channel="inside"), "'daily' does not leave in clear"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(change: Any, told: str) -> None:
    assert told in refusal(change)


def test_the_latest_figure_is_written_as_the_reader_writes_numbers() -> None:
    assert read() == [Headline("Patients", "12\u202f345", "le 8 janvier 2026")]
    assert read(language="en") == [Headline("Patients", "12,345", "on 8 January 2026")]


@pytest.mark.parametrize(
    ("changes", "french", "english"),
    [
        ({"column": "part", "format": "percent", "decimals": 1}, "12,3\u00a0%", "12.3%"),
        ({"column": "part", "decimals": 2}, "0,12", "0.12"),
        ({"unit": {"fr": "lits", "en": "beds"}}, "12\u202f345\u00a0lits", "12,345\u00a0beds"),
        ({"unit": {"fr": "% par jour", "en": "% a day"}}, "12\u202f345\u00a0% par jour", None),
    ],
)
def test_formats_and_units(changes: Any, french: str, english: str | None) -> None:
    assert read(**changes)[0].value == french
    expected = english or "12,345% a day"
    assert read(language="en", **changes)[0].value == expected


def test_a_change_is_told_with_its_sign() -> None:
    assert read(compare_days=7)[0].note == "le 8 janvier 2026, +345 en 7\u00a0jours"
    assert read(compare_days=7, where={"ward": "B"})[0].note.endswith("+1 en 7\u00a0jours")
    points = read(compare_days=7, column="part", format="percent", decimals=1)[0].note
    assert points.endswith("+2,3\u00a0pt en 7\u00a0jours")
    down = TABLE.replace("12345", "11999")
    assert read(down, compare_days=7)[0].note.endswith("\u22121 en 7\u00a0jours")


def test_an_earlier_figure_that_is_not_there_is_told() -> None:
    assert read(compare_days=6)[0].note.endswith("pas de chiffre 6\u00a0jours plus tôt")


def test_a_small_negative_number_is_no_minus_zero() -> None:
    text = TABLE.replace("0.1234", "-0.0001")
    assert read(text, column="part")[0].value == "0"


def test_a_cut_row_gives_a_sentence_even_where_its_figure_still_stands() -> None:
    shown = read(hidden={2})
    assert shown == [
        Headline("Patients", "masqué", "chiffre non montré, pour protéger des personnes")
    ]
    assert "345" not in repr(shown)
    assert read(hidden={3}) == read(), "the row of another ward was cut, not this one"


def test_a_cut_figure_of_before_is_not_given_away_by_the_change() -> None:
    (told,) = read(hidden={0}, compare_days=7)
    assert told.value == "12\u202f345"
    assert "n’est pas montré" in told.note
    assert "345" not in told.note


@pytest.mark.parametrize(
    "text",
    [
        "",
        "day,ward\n2026-01-08,A\n",
        TABLE.replace("12345", ""),
        TABLE.replace("12345", "NaN"),
        TABLE.replace("12345", "1e999999"),
        TABLE.replace("12345", "DUPONT"),
        TABLE + "2026-01-08,A,Alpha,1,1\n",
        "\udc80".encode("utf-8", "surrogatepass").decode("latin-1"),
    ],
)
def test_what_is_no_single_number_gives_nothing(text: str) -> None:
    assert read(text) == []


def test_a_table_that_did_not_leave_gives_nothing() -> None:
    assert read_headlines(spec_of(), {}, "fr") == ()


def test_the_templates_that_come_along(root: Path) -> None:
    catalogue = load_catalogue(root / "templates")
    assert len(catalogue["hospital_epidemic"].spec.headlines) == 3
    assert len(catalogue["epidemic_growth"].spec.headlines) == 3


def test_a_list_of_patients_can_have_no_headline(root: Path) -> None:
    raw = tomllib.loads((root / "templates/line_list/template.toml").read_text(encoding="utf-8"))
    assert TemplateSpec.model_validate(raw).headlines == {}
    raw["headlines"] = {
        "who": {
            "label": {"fr": "x", "en": "x"},
            "output": "stays",
            "column": "room",
            "row": "only",
        }
    }
    with pytest.raises(ValidationError, match="'stays' is sensitive"):
        TemplateSpec.model_validate(raw)
