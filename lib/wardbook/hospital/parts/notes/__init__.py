"""French notes of some visits, with mentions of diseases whose sense is known.

A mention is affirmed, negated, hypothetical, of the family or of the past. `truth-notes.parquet`
has a row for each, with its place in the text: what a tool that reads notes should find. Chronic
diseases are affirmed of those who have them and denied of others, so notes agree with the part
`care`'s codes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from wardbook.hospital.building.batch import Batch, Rows
from wardbook.hospital.parts.care.chronic import draw_illness
from wardbook.hospital.parts.care.diagnoses import ward_visits
from wardbook.hospital.parts.notes.sentences import (
    AFFIRMED,
    DISEASES,
    EVENTS,
    FAMILY,
    HISTORY,
    NEUTRAL,
    QUALIFIERS,
    SENTENCES,
    SYMPTOMS,
    Term,
)
from wardbook.omop.vocabulary import EHR, Concept

NOTED = 0.30
"""Share of the visits through a ward that have a note."""
MENTIONS = (1, 6, 0.5)
"""Mentions of a note: the first number and a binomial one of the others."""
SUMMARY = Concept("LOINC", "18842-5", "Discharge summary", "Note")
FRENCH = Concept("Language", "fr", "French", "Language")
UTF_8 = Concept("Encoding", "UTF-8", "UTF-8", "Metadata")
TITLE = "Compte rendu d'hospitalisation"

CONCEPTS = (SUMMARY, FRENCH, UTF_8)
TRUTH: Mapping[str, Any] = {
    "noted": NOTED,
    "mentions_mean": MENTIONS[0] + MENTIONS[1] * MENTIONS[2],
    "qualifiers": dict(QUALIFIERS),
}


def draw(batch: Batch) -> Rows:
    """Return note, and the labels of the mentions."""
    rng = batch.rng("notes")
    # As the part `care` draws them: first, and from its own random numbers.
    illness = draw_illness(batch.rng("care"), batch.persons)
    visits = batch.visits[batch.visits["visit_id"].isin(ward_visits(batch))]
    visits = visits[rng.random(len(visits)) < NOTED]
    ids = batch.ids("note", len(visits))
    person = (visits["person_id"] - batch.persons["person_id"].iloc[0]).to_numpy()
    female = (batch.persons["sex"].to_numpy() == "F")[person]
    has = np.stack([illness.has[term.code] for term in DISEASES], axis=1)[person]
    texts, labels = [], []
    for number, drawn in enumerate(_draw_notes(rng, len(visits))):
        text, found = _write_note(drawn, bool(female[number]), has[number])
        texts.append(text)
        labels += [(ids[number], *one) for one in found]
    columns = ["note_id", "sentence", "start", "end", "text", "condition", "qualifier"]
    return {
        "note": pd.DataFrame(
            {
                "note_id": ids,
                "person_id": visits["person_id"].to_numpy(),
                "note_date": visits["ended"].dt.normalize().to_numpy(),
                "note_datetime": visits["ended"].to_numpy(),
                "note_type_concept_id": EHR.id,
                "note_class_concept_id": SUMMARY.id,
                "note_title": TITLE,
                "note_text": pd.Series(texts, dtype="str"),
                "encoding_concept_id": UTF_8.id,
                "language_concept_id": FRENCH.id,
                "visit_occurrence_id": visits["visit_id"].to_numpy(),
                "note_source_value": "CRH",
            }
        ),
        "truth-notes": pd.DataFrame(labels, columns=columns),
    }


def _draw_notes(rng: np.random.Generator, count: int) -> Iterator[list[tuple[str, np.ndarray]]]:
    """Yield for each note the qualifiers of its mentions, each with random numbers to write it."""
    always, most, share = MENTIONS
    mentions = always + rng.binomial(most, share, count)
    names, shares = list(QUALIFIERS), list(QUALIFIERS.values())
    qualifier = rng.choice(len(names), mentions.sum(), p=shares)
    chance = rng.random((len(qualifier), 4))
    ends = mentions.cumsum()
    for first, last in zip(ends - mentions, ends, strict=True):
        yield [(names[qualifier[at]], chance[at]) for at in range(first, last)]


def _write_note(
    drawn: list[tuple[str, np.ndarray]], female: bool, has: np.ndarray
) -> tuple[str, list[tuple[int, int, int, str, str, str]]]:
    """Return a note and its mentions: sentence, start, end, text, condition, qualifier."""
    said: list[str] = []
    found, used, length = [], set[Term](), 0
    for qualifier, (which, how, aside, neutral) in drawn:
        if aside < 0.4:
            said.append(NEUTRAL[int(neutral * len(NEUTRAL))])
            length += len(said[-1]) + 1
        terms = [term for term in _may_mention(qualifier, has) if term not in used]
        term = terms[int(which * len(terms))]
        used.add(term)
        forms = SENTENCES[qualifier, term, female]
        sentence = forms[int(how * len(forms))]
        start = length + sentence.start
        end = start + len(term.text)
        found.append((len(said), start, end, term.text, term.code, qualifier))
        said.append(sentence.text)
        length += len(sentence.text) + 1
    return "\n".join(said), found


def _may_mention(qualifier: str, has: np.ndarray) -> list[Term]:
    """Return what can be said of a patient: nothing that the codes would belie."""
    if qualifier == AFFIRMED:
        return [*SYMPTOMS, *(t for t, ill in zip(DISEASES, has, strict=True) if ill)]
    if qualifier == FAMILY:
        return [*EVENTS, *DISEASES]
    if qualifier == HISTORY:
        return list(EVENTS)
    return [*SYMPTOMS, *(t for t, ill in zip(DISEASES, has, strict=True) if not ill)]
