"""The receipt's form: in-toto with SLSA provenance, canonical, strict, with safe names only."""

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from tests.sample_seal import MOMENT, SOME_SHA256, make_receipt
from wardbook.seal import Approval, Origin, Receipt, SealProblem, Source, Subject

RECEIPT = make_receipt([Subject("index.html", SOME_SHA256, 3), Subject("a/é.csv", SOME_SHA256, 0)])


def test_round_trip() -> None:
    raw = RECEIPT.to_json()
    assert Receipt.from_json(raw) == RECEIPT
    assert Receipt.from_json(raw).to_json() == raw


def test_the_order_of_files_does_not_matter() -> None:
    other = make_receipt(reversed(RECEIPT.subjects))
    assert other.to_json() == RECEIPT.to_json()


def test_times_are_told_in_utc() -> None:
    paris = MOMENT.astimezone(timezone(timedelta(hours=1)))
    moved = replace(RECEIPT, run=replace(RECEIPT.run, started=paris))
    assert moved.to_json() == RECEIPT.to_json()


def test_it_is_an_in_toto_statement_with_slsa_provenance() -> None:
    statement = json.loads(RECEIPT.to_json())
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    assert statement["subject"][0] == {
        "name": "a/é.csv",
        "digest": {"sha256": SOME_SHA256},
        "annotations": {"size": 0},
    }
    predicate = statement["predicate"]
    standard = {"buildDefinition", "runDetails"}
    assert all(name.startswith("wardbook_") for name in set(predicate) - standard)
    resources = predicate["buildDefinition"]["resolvedDependencies"]
    assert all("digest" in one for one in resources)  # ResourceDescriptor v1
    assert predicate["runDetails"]["metadata"]["startedOn"] == "2026-11-20T08:30:00Z"


def test_parameters_are_a_digest_only() -> None:
    parameters = json.loads(RECEIPT.to_json())["predicate"]["buildDefinition"]["externalParameters"]
    assert parameters["parameters"] == {"digest": {"sha256": SOME_SHA256}}


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw + b"\n",
        lambda raw: raw.replace(b'"_type"', b' "_type"'),
        lambda raw: raw.replace(b'{"_type"', b'{"_type":"x","_type"'),
        lambda raw: raw.replace(b'"channel":"site"', b'"channel":"site","more":1'),
        lambda raw: raw.replace(b'"channel":"site",', b""),
        lambda raw: raw.replace(b'"channel":"site"', b'"channel":7'),
        lambda raw: raw.replace(b'"channel":"site"', b'"channel":null'),
        lambda raw: raw.replace(b'"verdict":"pass"', b'"verdict":"fine"'),
        lambda raw: raw.replace(b"Statement/v1", b"Statement/v2"),
        lambda raw: raw.replace(b"08:30:00Z", b"08:30:00"),
        lambda raw: raw.replace("é".encode(), b"\\u00e9"),
        lambda raw: raw.replace(SOME_SHA256.encode(), SOME_SHA256.upper().encode()),
        lambda raw: raw[:-1],
        lambda _: b"[]",
        lambda _: b"null",
        lambda _: b"\xff",
    ],
)
def test_any_other_form_is_refused(change) -> None:  # type: ignore[no-untyped-def]
    raw = change(RECEIPT.to_json())
    assert raw != RECEIPT.to_json()
    with pytest.raises(SealProblem, match="not in the form"):
        Receipt.from_json(raw)


UNSAFE = [
    "", ".", "..", "/etc/passwd", "../x", "a/../b", "a//b", "a/", "./a", "a\\b",
    "a\nb", "a\x00b", "a\u202eb", 'a"b', "e\u0301",
]  # fmt: skip


@pytest.mark.parametrize("name", UNSAFE)
def test_unsafe_names_are_refused_when_writing(name: str) -> None:
    with pytest.raises(SealProblem, match="outside its folder"):
        Subject(name, SOME_SHA256, 1)


@pytest.mark.parametrize("name", UNSAFE)
def test_unsafe_names_are_refused_when_reading(name: str) -> None:
    quoted = json.dumps(name, ensure_ascii=False).encode()
    with pytest.raises(SealProblem, match="outside its folder"):
        Receipt.from_json(RECEIPT.to_json().replace('"a/é.csv"'.encode(), quoted))


def test_ordinary_names_are_accepted() -> None:
    for name in ("a", "a b", ".hidden", "a/b/c.csv", "résumé.html", "..a", "a..b"):
        assert Subject(name, SOME_SHA256, 1).name == name


def test_what_a_caller_may_not_leave_out() -> None:
    with pytest.raises(ValueError, match="at least one file"):
        make_receipt([])
    with pytest.raises(ValueError, match="hexadecimal"):
        Subject("a", "abc", 1)
    with pytest.raises(ValueError, match="hexadecimal"):
        Source("flow", "spf", SOME_SHA256.upper(), MOMENT)
    with pytest.raises(ValueError, match="hexadecimal"):
        replace(RECEIPT.origin, commit="main")
    with pytest.raises(ValueError, match="time zone"):
        Approval("me", datetime(2026, 1, 1), "review")  # noqa: DTZ001
    assert isinstance(RECEIPT.origin, Origin)
