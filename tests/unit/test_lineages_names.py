"""Names of lineages: unfolded, folded back, read from the published key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wardbook.errors import DataProblem
from wardbook.lineages.names import (
    Aliases,
    is_within,
    parent_of,
    read_aliases,
    read_withdrawn,
)

KEY = {
    "A": "",
    "B": "",
    "BA": "B.1.1.529",
    "JN": "B.1.1.529.2.86.1",
    "KP": "JN.1.11.1",
    "XEC": ["KS.1.1", "KP.3.3"],
    "XBB": ["BJ.1", "BM.1.1.1"],
    "EG": "XBB.1.9.2",
}


@pytest.fixture
def aliases(tmp_path: Path) -> Aliases:
    return read_aliases(write(tmp_path, KEY))


def write(folder: Path, key: object) -> Path:
    path = folder / "alias_key.json"
    path.write_text(json.dumps(key))
    return path


@pytest.mark.parametrize(
    ("name", "full", "short"),
    [
        ("JN.1", "B.1.1.529.2.86.1.1", "JN.1"),
        ("BA.2.86.1.1", "B.1.1.529.2.86.1.1", "JN.1"),
        ("B.1.1.529.2.86.1.1", "B.1.1.529.2.86.1.1", "JN.1"),
        ("KP.3.1.1", "B.1.1.529.2.86.1.1.11.1.3.1.1", "KP.3.1.1"),
        ("BA.2.86.1", "B.1.1.529.2.86.1", "BA.2.86.1"),
        ("XEC", "XEC", "XEC"),
        ("EG.5.1", "XBB.1.9.2.5.1", "EG.5.1"),
        ("B", "B", "B"),
        ("None", "None", "None"),
    ],
)
def test_a_name_is_unfolded_and_folded_back(
    aliases: Aliases, name: str, full: str, short: str
) -> None:
    assert aliases.unfold(name) == full
    assert aliases.fold(full) == short
    assert aliases.knows(name)


def test_without_a_key_names_stay_and_nothing_is_known() -> None:
    assert Aliases().unfold("JN.1") == "JN.1"
    assert Aliases().fold("JN.1") == "JN.1"
    assert not Aliases().knows("JN.1")


def test_letters_that_the_key_does_not_have_are_not_known(aliases: Aliases) -> None:
    assert not aliases.knows("QQ.1")
    assert aliases.unfold("QQ.1") == "QQ.1"


def test_parents_and_descendants() -> None:
    assert parent_of("B.1.1") == "B.1"
    assert parent_of("XEC") is None
    assert parent_of("None") is None
    assert is_within("B.1.1", "B.1")
    assert not is_within("B.10", "B.1")


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ([], "aliases_form"),
        ({}, "aliases_form"),
        ({"jn": "B.1"}, "aliases_form"),
        ({"JN": 1}, "aliases_form"),
        ({"JN": "b.1"}, "aliases_form"),
        ({"AA": "AB.1", "AB": "AA.1"}, "aliases_circle"),
    ],
)
def test_what_is_no_key_is_refused(tmp_path: Path, key: object, code: str) -> None:
    with pytest.raises(DataProblem) as caught:
        read_aliases(write(tmp_path, key))
    assert caught.value.code == code


def test_a_key_that_is_not_json_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "alias_key.json"
    with pytest.raises(DataProblem) as caught:
        read_aliases(path)
    assert caught.value.code == "file_missing"
    path.write_text('{"A": ')
    with pytest.raises(DataProblem) as caught:
        read_aliases(path)
    assert caught.value.code == "aliases_form"


@pytest.mark.shared_data
def test_the_published_key(shared: Path) -> None:
    path = shared / "data/variants/pango_alias_key.json"
    raw = json.loads(path.read_text())
    aliases = read_aliases(path)
    lists = {letters for letters, meaning in raw.items() if isinstance(meaning, list)}
    assert aliases.roots == lists | {"A", "B"}
    assert len(aliases.stands_for) + len(aliases.roots) == len(raw)
    assert aliases.unfold("KP.3.1.1") == "B.1.1.529.2.86.1.1.11.1.3.1.1"
    assert aliases.unfold("PQ.1") == "XDV.1.5.1.1.8.1.1"
    for letters in aliases.stands_for:
        assert aliases.fold(aliases.unfold(f"{letters}.1")) == f"{letters}.1"
        assert aliases.unfold(f"{letters}.1").partition(".")[0] in aliases.roots


def test_withdrawn_names_begin_with_an_asterisk(tmp_path: Path) -> None:
    path = tmp_path / "lineage_notes.txt"
    path.write_text("Lineage\tDescription\nB.1\tA large one\n*B.1.9\tWithdrawn: was an error\n")
    assert read_withdrawn(path) == {"B.1.9"}
    path.write_text("B.1\tA large one\n")
    with pytest.raises(DataProblem) as caught:
        read_withdrawn(path)
    assert caught.value.code == "header_missing"
