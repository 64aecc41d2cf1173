"""French sentences that mention a disease as present, denied, possible, of the family or past.

Every sentence is invented. Some hold a word that misleads: a negation that denies nothing, or a
verb of finding in a sentence of doubt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

from wardbook.hospital.parts.care.chronic import CHRONIC

AFFIRMED, NEGATED, HYPOTHETICAL = "affirmed", "negated", "hypothetical"
FAMILY, HISTORY = "family", "history"
QUALIFIERS: Mapping[str, float] = {
    AFFIRMED: 0.45,
    NEGATED: 0.25,
    HYPOTHETICAL: 0.12,
    FAMILY: 0.08,
    HISTORY: 0.10,
}
"""Shares of the mentions."""


@dataclass(frozen=True)
class Term:
    """What a note can mention; `code` is the chronic disease's, "" for a symptom or an event."""

    text: str
    feminine: bool
    code: str = ""

    @property
    def of(self) -> str:
        """With "de"."""
        return ("d'" if self._elides else "de ") + self.text

    @property
    def a(self) -> str:
        """With the indefinite article."""
        return ("une " if self.feminine else "un ") + self.text

    @property
    def the(self) -> str:
        """With the definite article."""
        if self._elides:
            return f"l'{self.text}"
        return ("la " if self.feminine else "le ") + self.text

    @property
    def _elides(self) -> bool:
        return self.text[0] in "aeiouéèêhœ"


SYMPTOMS = (
    *(Term("fièvre", True), Term("dyspnée", True), Term("douleur thoracique", True)),
    *(Term("toux productive", True), Term("œdème des chevilles", False)),
    *(Term("confusion", True), Term("syncope", True), Term("ictère", False)),
    *(Term("hémorragie digestive", True), Term("rougeur du mollet", True)),
)
EVENTS = (
    *(Term("infarctus du myocarde", False), Term("embolie pulmonaire", True)),
    *(Term("accident vasculaire cérébral", False), Term("pneumopathie", True)),
    *(Term("ulcère gastrique", False), Term("cancer du côlon", False)),
)
_DISEASES = {
    "I10": Term("hypertension artérielle", True, "I10"),
    "E11.9": Term("diabète de type 2", False, "E11.9"),
    "E78.0": Term("hypercholestérolémie", True, "E78.0"),
    "I48.2": Term("fibrillation atriale", True, "I48.2"),
    "I50.9": Term("insuffisance cardiaque", True, "I50.9"),
    "N18.3": Term("insuffisance rénale chronique", True, "N18.3"),
    "J44.9": Term("bronchopneumopathie chronique obstructive", True, "J44.9"),
    "F32.9": Term("épisode dépressif", False, "F32.9"),
}
DISEASES = tuple(_DISEASES[disease.code] for disease in CHRONIC)

_FORMS: Mapping[str, tuple[str, ...]] = {
    AFFIRMED: (
        "Le bilan retrouve {a}.",
        "{Patient} garde {a}, qui gêne la vie courante.",
        "Le traitement vise surtout {the}.",
        "Tout s'explique par {a}.",
        "Le diagnostic {of} ne se discute plus.",
        "{A} domine le tableau, sans retentissement sur le sommeil.",
    ),
    NEGATED: (
        "Pas {of} depuis l'entrée.",
        "L'équipe n'a constaté à aucun moment {a}.",
        "{Patient} nie toute notion {of}.",
        "Absence {of} à l'examen de sortie.",
        "Aucun argument pour {a}.",
        "L'évolution se fait sans {text}.",
    ),
    HYPOTHETICAL: (
        "On discute {a}, à confirmer en consultation.",
        "{A} reste possible à ce stade.",
        "Un scanner est demandé à la recherche {ofa}.",
        "Le bilan trouvé ce jour n'élimine pas {a}.",
        "L'hypothèse {ofa} est retenue pour l'instant.",
    ),
    FAMILY: (
        "Le père de {patient} avait {a}.",
        "On note {a} chez deux tantes maternelles.",
        "Hérédité marquée par {a} du côté paternel.",
        "Un frère est traité pour {a}.",
    ),
    HISTORY: (
        "Dans l'enfance ou plus tard, {a} est à signaler, guérie de longue date.",
        "Il y a une dizaine d'années, {a} avait motivé une hospitalisation.",
        "Passé médical : {text}, sans suite.",
        "{Patient} se souvient {ofa}, bien avant ce séjour.",
    ),
}
NEUTRAL = (
    "Les constantes sont stables.",
    "Le traitement habituel est poursuivi.",
    "La marche est possible avec une aide.",
    "L'appétit revient peu à peu.",
    "Une consultation de contrôle est prévue.",
    "La famille a été informée de la sortie.",
    "Le courrier est adressé au médecin traitant.",
)


@dataclass(frozen=True)
class Sentence:
    """A sentence and where in it the term stands."""

    text: str
    start: int


def _write(form: str, term: Term, female: bool) -> Sentence:
    patient = "la patiente" if female else "le patient"
    text = form.format(
        text=term.text,
        a=term.a,
        A=term.a.capitalize(),
        of=term.of,
        ofa=f"d'{term.a}",
        the=term.the,
        patient=patient,
        Patient=patient.capitalize(),
    )
    if not term.feminine:
        text = text.replace("guérie", "guéri")
    text = text.replace("de le patient", "du patient")
    return Sentence(text, text.index(term.text))


SENTENCES: Mapping[tuple[str, Term, bool], tuple[Sentence, ...]] = {
    (qualifier, term, female): tuple(_write(form, term, female) for form in forms)
    for (qualifier, forms), term, female in product(
        _FORMS.items(), (*SYMPTOMS, *EVENTS, *DISEASES), (True, False)
    )
}
"""All ways to say it, by qualifier, term and whether the patient is a woman."""
