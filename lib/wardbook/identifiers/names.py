"""Names of the cohort in a text: whole, reversed, in capitals, without accents, misspelt by one.

A surname that hardly is anything else (`Heurtebise`) stands for itself. One that is an ordinary
word, a place or a first name as well (`Petit`, `Blanc`, `Martin`) needs a first name, an initial, a
title or a column of names beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from wardbook.identifiers.finding import Certainty, Finding, Kind
from wardbook.identifiers.name_index import NameIndex
from wardbook.identifiers.reading import CELL_BREAK, Reading, fold

WORD = re.compile(r"[^\W\d_][^\W_]*")
UNMASKED = str.maketrans("01358", "olesb")
NAME_COLUMN = re.compile(
    r"\b(?:nom|noms|name|names|prenom|prenoms|surname|lastname|firstname|patronyme|patient|patiente"
    r"|usuel|usage|marital|jeune fille|identite)\b"
)
NOT_OF_PEOPLE = re.compile(
    r"\b(?:ward|service|unite|file|fichier|produit|variable|column|template)\b"
)
TITLE = re.compile(
    r"(?<![^\W_])(?:m|mr|mm|mme|mlle|monsieur|madame|mademoiselle|dr|docteur|pr|professeur"
    r"|patiente?|enfant|bébé|bebe|veuve|née?|épouse|epouse|famille|nom|name|prénom|prenom"
    r"|m\.\s?et\s?mme)[\s.:\"'_=-]{1,5}(?:[^\W\d_]{1,3}[.\s'’-]{1,2}){0,3}\Z"
)
TITLED_STRANGER = re.compile(
    r"(?:M\.|Mme|Mlle|Monsieur|Madame|Mademoiselle)(?<![^\W_]M\.)[ \u00a0\u202f]"
    r"(?P<name>[A-ZÀ-Þ][^\W\d_]{2,})"
)
STRANGER_IS_A_RANK = frozenset(
    """
    le la les docteur professeur directeur directrice president presidente maire chef mme
    monsieur madame dupont
    """.split()  # noqa: SIM905
)
EPONYM = re.compile(
    r"(?:maladie|syndrome|signe|score|échelle|echelle|test|loi|méthode|methode|critères?|indice"
    r"|hôpital|hopital|hôpitaux|chu|chru|clinique|rue|avenue|boulevard|place|square|stade|saint"
    r"|sainte|institut|pavillon|bâtiment|lycée|université|salle|unité|service|ville)"
    r"[ -](?:de |du |des |d['’]|la |l['’]){0,2}\Z"
)
INITIAL_BEFORE = re.compile(r"(?<![^\W_])([^\W\d_])\.?(?:[ -]{0,2}[^\W\d_]\.)?[ \u00a0]{0,2}\Z")
INITIAL_AFTER = re.compile(r"[, \u00a0]{1,2}([A-ZÀ-Þ])(?:\.|(?![^\W_]))")
BETWEEN = re.compile(
    rf"[^\w{CELL_BREAK}]{{1,6}}(?:(?:[A-ZÀ-Þ][^\W\d_]{{0,14}}|née?|epouse|épouse|ép|dit|dite|de|du"
    rf"|des|la|le|van|von|ben|el|d|l)[^\w{CELL_BREAK}]{{1,3}}){{0,3}}\Z"
)
FARTHEST, REACH = 40, 45
LONGEST_WORD = 24


@dataclass(frozen=True, repr=False)
class _Sense:
    """What a word of the text may be: surnames and first names, exact ones and near ones."""

    surnames: tuple[str, ...] = ()
    firsts: tuple[str, ...] = ()
    exact: bool = False
    common: bool = False


@dataclass(frozen=True, repr=False)
class _Seen:
    """A word at its place."""

    start: int
    end: int
    word: str
    sense: _Sense


def find_names(reading: Reading, index: NameIndex) -> Iterator[Finding]:
    """Yield where a text names somebody of the cohort, or anybody by a title."""
    yield from _find_strangers(reading)
    if not index:
        return
    column = _is_column_of_names(reading)
    senses = _read_senses(reading.text, index)
    for word, sense in senses.items():
        if sense.surnames or (column and sense.exact):
            for start in _find_word(reading.text, word):
                one = _Seen(start, start + len(word), word, sense)
                certainty = _judge(reading, one, senses, index, column=column)
                if certainty is not None:
                    yield Finding(one.start, one.end, Kind.NAME, certainty)


def _find_word(text: str, word: str) -> Iterator[int]:
    """Yield where a word stands as a whole."""
    start = text.find(word)
    while start >= 0:
        end = start + len(word)
        if not (text[start - 1 : start].isalnum() or text[end : end + 1].isalnum()):
            yield start
        start = text.find(word, end)


def _look_around(text: str, one: _Seen, senses: dict[str, _Sense]) -> Iterator[_Seen]:
    """Yield the words near a surname that may be first names."""
    for first, last in ((max(0, one.start - REACH), one.start), (one.end, one.end + REACH)):
        for match in WORD.finditer(text, first, last):
            sense = senses.get(match.group())
            if sense is not None and sense.firsts:
                yield _Seen(match.start(), match.end(), match.group(), sense)


def _find_strangers(reading: Reading) -> Iterator[Finding]:
    for match in TITLED_STRANGER.finditer(reading.text):
        if fold(match["name"]) not in STRANGER_IS_A_RANK:
            yield Finding(match.start("name"), match.end(), Kind.NAME, Certainty.POSSIBLE)


def _is_column_of_names(reading: Reading) -> bool:
    header = reading.header
    return bool(header and NAME_COLUMN.search(header) and not NOT_OF_PEOPLE.search(header))


def _read_senses(text: str, index: NameIndex) -> dict[str, _Sense]:
    """Look each distinct word up once."""
    senses = {}
    for word in set(WORD.findall(text)):
        if 1 < len(word) <= LONGEST_WORD:
            sense = _look_up(word, index)
            if sense is not None:
                senses[word] = sense
    return senses


def _look_up(word: str, index: NameIndex) -> _Sense | None:
    folded = fold(word)
    if not word.isalpha():
        if sum(map(str.isdigit, word)) > 2:
            return None
        folded = folded.translate(UNMASKED)
    surname, first = folded in index.surnames, folded in index.firsts
    if surname or first:
        exact = (folded,)
        return _Sense(
            exact if surname else (), exact if first else (), True, folded in index.common
        )
    near = index.near(folded)
    if not near:
        return None
    return _Sense(
        tuple(name for name in near if name in index.surnames),
        tuple(name for name in near if name in index.firsts),
    )


def _judge(
    reading: Reading, one: _Seen, senses: dict[str, _Sense], index: NameIndex, *, column: bool
) -> Certainty | None:
    sense, text = one.sense, reading.text
    if not sense.surnames:
        return Certainty.LIKELY  # a first name in a column of names
    pair = max(
        (_pair_up(text, one, other, index) for other in _look_around(text, one, senses)), default=0
    )
    if pair == 2 and sense.exact:
        return Certainty.CERTAIN
    if pair:
        return Certainty.LIKELY
    if column:
        return Certainty.CERTAIN if sense.exact else Certainty.LIKELY
    capital = one.word[0].isupper()
    if _has_initial(text, one, index) or (
        TITLE.search(reading.lower, max(0, one.start - 30), one.start)
        and (capital or not sense.common)
    ):
        return Certainty.LIKELY
    if not sense.exact or sense.common or len(one.word) < (4 if capital else 6):
        return None
    if EPONYM.search(reading.lower, max(0, one.start - 30), one.start):
        return None
    return Certainty.LIKELY if capital else Certainty.POSSIBLE


def _pair_up(text: str, one: _Seen, other: _Seen, index: NameIndex) -> int:
    """Return 2 for a surname beside its own first name, 1 beside another's, else 0."""
    if not other.sense.firsts or not (one.sense.exact or other.sense.exact):
        return 0
    start, end = (one.end, other.start) if one.start < other.start else (other.end, one.start)
    if end - start > FARTHEST or not BETWEEN.fullmatch(text, start, end):
        return 0
    own = any((s, f) in index.pairs for s in one.sense.surnames for f in other.sense.firsts)
    if own:
        return 2
    alike = one.word[0].isupper() and other.word[0].isupper() and end - start <= 2
    return 1 if alike and one.sense.exact and other.sense.exact else 0


def _has_initial(text: str, one: _Seen, index: NameIndex) -> bool:
    before = INITIAL_BEFORE.search(text, max(0, one.start - 8), one.start)
    after = INITIAL_AFTER.match(text, one.end, one.end + 4)
    return one.word[0].isupper() and any(
        match is not None and (name, fold(match.group(1))[:1]) in index.initials
        for match in (before, after)
        for name in one.sense.surnames
    )
