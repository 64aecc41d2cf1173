"""The workflow of every sandbox project, as a table, and the lists that Jira keeps for a site."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Category:
    """A status category: what Jira's colours and `statusCategory` mean."""

    id: int
    key: str
    colour: str
    name: str


@dataclass(frozen=True)
class Status:
    """A status of the workflow."""

    id: str
    name: str
    category: Category
    description: str


@dataclass(frozen=True)
class Transition:
    """A move between statuses; `screen` names the fields that it asks for and requires."""

    id: str
    name: str
    origins: tuple[str, ...]
    target: str
    screen: tuple[str, ...] = ()


NEW = Category(2, "new", "blue-gray", "À faire")
ONGOING = Category(4, "indeterminate", "yellow", "En cours")
DONE = Category(3, "done", "green", "Terminé")

STATUSES = {
    status.id: status
    for status in (
        Status("10000", "À traiter", NEW, "Personne n’a encore pris la demande en charge."),
        Status("10001", "En cours", ONGOING, "La demande est prise en charge."),
        Status("10002", "En attente du demandeur", ONGOING, "Le demandeur doit répondre."),
        Status("10003", "Résolu", DONE, "Une réponse a été donnée."),
        Status("10004", "Fermé", DONE, "La demande est close."),
    )
}
FIRST_STATUS = "10000"

TRANSITIONS = (
    Transition("11", "Prendre en charge", ("10000",), "10001"),
    Transition("21", "Demander un complément", ("10000", "10001"), "10002"),
    Transition("31", "Répondre", ("10002",), "10001"),
    Transition("41", "Remettre à traiter", ("10002",), "10000"),
    Transition("51", "Résoudre", ("10000", "10001"), "10003", screen=("resolution",)),
    Transition("61", "Clore", ("10003",), "10004"),
    Transition("71", "Rouvrir", ("10003",), "10000"),
)

PRIORITIES = {
    "1": "Très haute",
    "2": "Haute",
    "3": "Moyenne",
    "4": "Basse",
    "5": "Très basse",
}
FIRST_PRIORITY = "3"

RESOLUTIONS = {
    "10000": "Terminé",
    "10001": "Ne sera pas traité",
    "10002": "Doublon",
    "10003": "Annulé",
}

LINK_TYPES = {
    "10000": ("Blocks", "is blocked by", "blocks"),
    "10001": ("Cloners", "is cloned by", "clones"),
    "10002": ("Duplicate", "is duplicated by", "duplicates"),
    "10003": ("Relates", "relates to", "relates to"),
}


def list_available(status_id: str) -> list[Transition]:
    """Return the transitions that leave a status."""
    return [t for t in TRANSITIONS if status_id in t.origins]


def find_transition(transition_id: str) -> Transition | None:
    """Return the transition with this id, whether or not it is available."""
    return next((t for t in TRANSITIONS if t.id == transition_id), None)
