"""The RO-Crate of a receipt: the rules of RO-Crate 1.1 and of Process Run Crate 0.5."""

from __future__ import annotations

import json
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.receipt_form import find_breaches, find_places
from tests.sample_seal import SOME_SHA256, make_receipt
from wardbook.seal import Previous, SealedTo, Subject, write_crate
from wardbook.seal.crate import PROFILE, SPECIFICATION

FILES = [Subject("index.html", SOME_SHA256, 3), Subject("tables/a é:b.csv", SOME_SHA256, 0)]
RECEIPT = make_receipt(
    FILES,
    sealed_to=(SealedTo("A" * 40, "B" * 40),),
    previous=Previous("stat-7-00000000000000ff", SOME_SHA256),
)


def graph(raw: bytes) -> dict[str, dict[str, Any]]:
    entities = json.loads(raw)["@graph"]
    found = {one["@id"]: one for one in entities}
    assert len(found) == len(entities), "each entity once"
    return found


def references(value: Any) -> list[str]:
    if isinstance(value, list):
        return [found for one in value for found in references(one)]
    return [value["@id"]] if isinstance(value, dict) and set(value) == {"@id"} else []


def test_the_same_receipt_has_the_same_crate() -> None:
    assert write_crate(RECEIPT) == write_crate(RECEIPT)


def test_the_root_is_as_ro_crate_asks() -> None:
    entities = graph(write_crate(RECEIPT))
    descriptor, root = entities["ro-crate-metadata.json"], entities["./"]
    assert descriptor["@type"] == "CreativeWork"
    assert descriptor["about"] == {"@id": "./"}
    assert descriptor["conformsTo"] == {"@id": SPECIFICATION}
    assert root["@type"] == "Dataset"
    assert root["name"]
    assert root["description"]
    assert datetime.fromisoformat(root["datePublished"]).tzinfo
    assert entities[root["license"]["@id"]]["description"]
    parts = [one["@id"] for one in root["hasPart"]]
    assert parts == ["index.html", "tables/a%20é%3Ab.csv"]
    assert all(entities[part]["@type"] == "File" for part in parts)


def test_the_run_is_as_the_profile_asks() -> None:
    entities = graph(write_crate(RECEIPT))
    assert entities["./"]["conformsTo"] == {"@id": PROFILE}
    assert entities[PROFILE]["@type"] == "CreativeWork"
    run = entities["#run"]
    assert run["@type"] == "CreateAction"
    assert {"@id": "#run"} in entities["./"]["mentions"]
    tools = [entities[one] for one in references(run["instrument"])]
    assert {"SoftwareApplication"} & {str(tool["@type"]) for tool in tools}
    assert all(tool["version"] and tool["url"] for tool in tools)
    assert references(run["result"]) == references(entities["./"]["hasPart"])
    assert run["endTime"] >= run["startTime"]
    assert entities[run["agent"]["@id"]]["@type"] == "Organization"


def test_every_reference_leads_somewhere_and_every_entity_is_reached() -> None:
    entities = graph(write_crate(RECEIPT))
    known = {*entities, SPECIFICATION}
    named = {
        one
        for entity in entities.values()
        for value in entity.values()
        for one in references(value)
    }
    assert named <= known
    assert set(entities) - named == {"ro-crate-metadata.json"}


def test_it_says_what_the_receipt_says_and_nothing_of_the_machine(tmp_path: Path) -> None:
    text = write_crate(RECEIPT).decode()
    for told in ("STAT-7", "counts", "d.approver", "A" * 40, "fr-hospital", "11", SOME_SHA256):
        assert told in text
    assert find_places(text, tmp_path) == []
    assert find_places(f'{{"file": "{tmp_path}/x"}}', tmp_path), "the look at paths can fail"


def test_the_schema_knows_a_receipt_and_nothing_else() -> None:
    statement = json.loads(RECEIPT.to_json())
    assert find_breaches(statement) == []
    bare = json.loads(make_receipt(FILES).to_json())
    assert find_breaches(bare) == []
    places = list(leaves(statement))
    assert len(places) > 40
    for place in places:
        broken = json.loads(RECEIPT.to_json())
        *way, last = place
        inside = broken
        for step in way:
            inside = inside[step]
        inside[last] = ["of another type"]
        assert find_breaches(broken), place
    for place in {tuple(place[:-1]) for place in places if isinstance(place[-1], str)}:
        broken = json.loads(RECEIPT.to_json())
        inside = broken
        for step in place:
            inside = inside[step]
        inside["/srv/data"] = "unknown"
        if place[-1:] != ("thresholds",):
            assert find_breaches(broken), place


def leaves(value: Any, *way: Any) -> Any:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for name, one in items:
        if isinstance(one, dict | list):
            yield from leaves(one, *way, name)
        else:
            yield [*way, name]


def test_the_library_for_ro_crates_reads_it(tmp_path: Path) -> None:
    rocrate = import_module("rocrate.rocrate")
    (tmp_path / "ro-crate-metadata.json").write_bytes(write_crate(RECEIPT))
    (tmp_path / "index.html").write_text("<p>")
    crate = rocrate.ROCrate(tmp_path)
    assert crate.root_dataset["name"].startswith("STAT-7")
    assert {one.id for one in crate.data_entities} == {"index.html", "tables/a%20é%3Ab.csv"}
    run = crate.get("#run")
    assert run.type == "CreateAction"
    assert [one.id for one in run["instrument"]] == [
        "urn:wardbook:template:hospital_epidemic:" + SOME_SHA256,
        "urn:wardbook:platform:0.1.0",
    ]


def test_every_term_is_one_of_ro_crates_own(root: Path) -> None:
    data = import_module("rocrate").__path__[0]
    context = json.loads((Path(data) / "data" / "ro-crate.jsonld").read_text())["@context"]
    for entity in graph(write_crate(RECEIPT)).values():
        kinds = entity["@type"] if isinstance(entity["@type"], list) else [entity["@type"]]
        terms = {*kinds, *entity} - {"@id", "@type"}
        assert {term for term in terms if term not in context} == set()
