"""Of which kinds a source has twins, and by which rules; what has none, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipelines.house import House
from wardbook.disclosure import Policy, choose_policy
from wardbook.domain.output import Sensitivity
from wardbook.errors import Refusal
from wardbook.omop.views import find_view, has_view
from wardbook.settings import SourceSettings

_WITHOUT_PERSONS = frozenset({"ward-beds"})


class TwinRefusal(Refusal):
    """No twin can be made as asked; the message says why."""


def needs_twin(settings: SourceSettings) -> bool:
    """Tell whether who works without patients needs a stand-in of a source."""
    is_internal = settings.sensitivity is Sensitivity.INTERNAL
    tells_of_nobody = is_internal and settings.kind in _WITHOUT_PERSONS
    return settings.sensitivity is not Sensitivity.PUBLIC and not tells_of_nobody


def require_source(house: House, source: str) -> SourceSettings:
    """Return the settings of a source of which twins may be made.

    Raises:
        TwinRefusal: it is unknown, needs none, or is open to nobody.
    """
    settings = house.settings.sources.get(source)
    if settings is None:
        known = ", ".join(house.settings.sources) or "none"
        raise TwinRefusal(f"There is no source {source!r} in the settings, only: {known}.")
    if settings.sensitivity is Sensitivity.PUBLIC:
        raise TwinRefusal(f"{source} is public and needs no twin: use it as it is.")
    if not needs_twin(settings):
        raise TwinRefusal(f"{source} tells of no person and needs no twin: use it as it is.")
    if settings.services and not set(settings.services) & set(house.settings.services):
        raise TwinRefusal(
            f"{source} is open to no service of the settings, so nobody needs a twin of it. "
            "Mend `services` of the source."
        )
    return settings


def kinds_of(
    house: House, source: str, settings: SourceSettings, asked: Sequence[str]
) -> tuple[str, ...]:
    """Return the kinds of data of a source of which twins are asked for.

    Raises:
        TwinRefusal: it has none of a kind that is named.
    """
    if settings.is_database:
        wanted = {s.kind for t in house.templates.values() for s in t.spec.sources.values()}
        there = tuple(sorted(kind for kind in wanted if has_view(kind)))
    else:
        there = (settings.kind,)
    for kind in asked:
        if kind not in there and not (settings.is_database and has_view(kind)):
            raise TwinRefusal(
                f"{source} has no data of the kind {kind!r}, only {', '.join(there)}."
            )
    return tuple(asked) or there


def require_known(
    source: str, settings: SourceSettings, kinds: Sequence[str], asked: Iterable[str]
) -> None:
    """See that what is asked of a source is something that one of its views takes.

    Raises:
        TwinRefusal: it is not.
    """
    views = [find_view(kind) for kind in kinds if settings.is_database]
    known = {name for view in views if view for name in view.PARAMETERS}
    for name in asked:
        if name not in known:
            raise TwinRefusal(
                f"-p {name}: nothing of that name is asked of {source} for a twin, only: "
                f"{', '.join(sorted(known)) or 'nothing'}."
            )


def tell_why_not(kind: str) -> str:
    """Return why no twin of a kind can be made, as the end of a sentence."""
    if kind in _WITHOUT_PERSONS:
        return "it tells of no person: no twin is needed."
    if kind == "cohort-persons":
        return "it is made of each request's own criteria: a twin of one fits no other."
    if kind in ("metric-series", "test-counts"):
        return "it holds counts, not rows of persons. Write the notebook on public counts."
    return "nothing says how its columns could be made; see docs/twins.md."


def policy_for(house: House, settings: SourceSettings) -> Policy:
    """Return the strictest policy of the unit and of the services that may use a source."""
    asked = {
        f"services.{name}.policy": service.policy
        for name, service in house.settings.services.items()
        if settings.is_open_to(None, name)
    }
    return choose_policy(house.policies, house.settings.disclosure.policy, asked)
