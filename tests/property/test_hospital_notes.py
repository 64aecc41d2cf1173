"""Notes say what their labels say, agree with the codes, and are nobody's words but ours."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from wardbook.hospital.parts.notes.sentences import NEUTRAL, SENTENCES


@pytest.fixture(scope="module")
def mentions(small_hospital: Path) -> pd.DataFrame:
    """The labels, each with the note's text and the codes of its visit."""
    labels = pd.read_parquet(small_hospital.parent / "truth-notes.parquet")
    with duckdb.connect(str(small_hospital), read_only=True) as connection:
        notes = connection.execute(
            "SELECT note_id, note_text, list(condition_source_value) AS codes FROM note"
            " JOIN condition_occurrence USING (visit_occurrence_id) GROUP BY ALL"
        ).df()
    found = labels.merge(notes, on="note_id")
    assert len(found) == len(labels) > 1000
    return found


def test_a_label_leads_to_its_words(mentions: pd.DataFrame) -> None:
    for one in mentions.itertuples():
        assert one.note_text[one.start : one.end] == one.text
        line = one.note_text.split("\n")[one.sentence]
        assert one.note_text[: one.start].count("\n") == one.sentence
        assert one.text in line


def test_a_note_never_says_the_same_thing_twice(mentions: pd.DataFrame) -> None:
    assert not mentions.duplicated(["note_id", "text"]).any()


def test_notes_affirm_what_is_coded_and_deny_what_is_not(mentions: pd.DataFrame) -> None:
    coded = mentions[mentions["condition"] != ""]
    agrees = pd.Series(
        [code in codes for code, codes in zip(coded["condition"], coded["codes"], strict=True)]
    )
    by_sense = agrees.groupby(coded["qualifier"].to_numpy()).agg(["min", "max"])
    assert by_sense.loc["affirmed"].tolist() == [True, True]
    assert by_sense.loc["negated"].tolist() == [False, False]
    assert by_sense.loc["hypothetical"].tolist() == [False, False]
    assert by_sense.loc["family"].tolist() == [False, True]


@pytest.mark.parametrize("wrong", ["de a", "de é", "d'un un", "un une", "le la", "de le "])
def test_french_articles_are_right(wrong: str) -> None:
    texts = [one.text for ways in SENTENCES.values() for one in ways]
    assert len(texts) > 500
    assert [text for text in texts if f" {wrong}" in text.lower()] == []


@pytest.mark.shared_data
def test_no_sentence_is_one_of_the_examples(shared: Path) -> None:
    file = shared / "data" / "clinical_text" / "edsnlp_qualifier_examples.jsonl"
    examples = {
        json.loads(line)["text"].strip(" .").lower()
        for line in file.read_text(encoding="utf-8").splitlines()
    }
    assert len(examples) > 40
    ours = {one.text for ways in SENTENCES.values() for one in ways} | {*NEUTRAL}
    assert {text.strip(" .").lower() for text in ours} & examples == set()
