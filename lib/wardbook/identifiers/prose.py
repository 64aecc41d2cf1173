"""Free text: sentences about one person, where a table should hold a value."""

from __future__ import annotations

import re

from wardbook.identifiers.reading import fold

LEAST_WORDS = 12
WORD = re.compile(r"[^\W\d_]+")
SENTENCE_WORDS = frozenset(
    """
    a ai ont est sont etait etaient fut sera avait avons presente presentait retrouve
    retrouvee admis admise adresse adressee hospitalise hospitalisee transfere transferee
    sorti sortie revu revue vu vue opere operee traite traitee connu connue patient patiente
    monsieur madame il elle lui son sa ses nous je depuis hier ce cette qui que persiste motif
    antecedents was were is has had she he his her admitted presented reports
    """.split()  # noqa: SIM905
)
LEAST_SENTENCE_WORDS = 2


def is_free_text(cell: str) -> bool:
    """Whether a table's cell tells something in sentences, not a label."""
    if len(cell) < 60:
        return False
    words = [fold(word) for word in WORD.findall(cell)]
    if len(words) < LEAST_WORDS:
        return False
    telling = sum(1 for word in words if word in SENTENCE_WORDS)
    return telling >= LEAST_SENTENCE_WORDS or len(words) > 40
