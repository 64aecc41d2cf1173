"""Standing approvals: an unchanged recurring report leaves without anybody looking, until a day.

What was approved is kept as four digests, so that what changed can be named:

    shape       the outputs that the template declares: kinds, channels, columns, dimensions
    code        the template's files; the request's notebook has to be the template's own besides
    policy      the disclosure rules by which the outputs were judged
    parameters  what the ticket asks, its sources included, but for what follows from the period
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from wardbook.domain.output import Verdict
from wardbook.domain.record import Record
from wardbook.review.approving import Panel, are_enough, plain_name, worst_verdict
from wardbook.settings import StandingApproval
from wardbook.template.spec import Template, TemplateSpec


class Obstacle(StrEnum):
    """Why a standing approval does not let a run out; each has a message `review.obstacle_…`."""

    REVOKED = "revoked"
    EXPIRED = "expired"
    REVIEWERS = "reviewers"
    CHECKS = "checks"
    NOTEBOOK = "notebook"
    SHAPE = "shape"
    CODE = "code"
    POLICY = "policy"
    PARAMETERS = "parameters"


@dataclass(frozen=True)
class Parts:
    """What must not change, each as the first 16 hexadecimal digits of a SHA-256."""

    shape: str
    code: str
    policy: str
    parameters: str


def parts_of(
    template: Template,
    policies: Iterable[str],
    parameters: Mapping[str, str],
    sources: Mapping[str, str],
) -> Parts:
    """Return what a standing approval of a run stands on.

    Args:
        template: as it is now.
        policies: by which the outputs were judged, each with its digest.
        parameters: a digest of each parameter on the branch, by name.
        sources: name in the template: name in the settings.
    """
    periodic = {name for name, one in template.spec.parameters.items() if one.from_period}
    kept = {name: digest for name, digest in parameters.items() if name not in periodic}
    return Parts(
        shape=_digest(shape_of(template.spec)),
        code=template.digest[:16],
        policy=_digest(sorted(set(policies))),
        parameters=_digest({"parameters": kept, "sources": dict(sources)}),
    )


def parts_of_record(record: Record, template: Template) -> Parts | None:
    """Return what a standing approval of a request's present run stands on; None without a run."""
    made = record.work.made_from
    if made is None or record.request is None:
        return None
    return parts_of(template, policies_of(record), made.parameters, record.request.sources)


def policies_of(record: Record) -> tuple[str, ...]:
    """Return the policies by which a run's outputs were judged, each with its digest."""
    return tuple(sorted({str(check.policy) for check in record.work.checks if check.policy}))


def shape_of(spec: TemplateSpec) -> dict[str, object]:
    """Return what the template declares of its outputs, but for how it words them."""
    shape: dict[str, object] = {}
    for name, output in sorted(spec.outputs.items()):
        declared = output.model_dump(mode="json", exclude={"title"})
        declared["columns"] = list(output.columns)
        shape[name] = declared
    return shape


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def find_standing(
    approvals: Mapping[str, StandingApproval], record: Record
) -> tuple[str, StandingApproval] | None:
    """Return the approval that is about a request, by its name: its own, or its template's."""
    for name in (record.key, record.request.template if record.request else ""):
        if name in approvals:
            return name, approvals[name]
    return None


def find_obstacles(
    standing: StandingApproval, record: Record, parts: Parts | None, panel: Panel, today: date
) -> tuple[Obstacle, ...]:
    """Name everything for which a run may not leave on a standing approval; nothing lets it out.

    Args:
        standing: the approval.
        record: the request after its checks.
        parts: what the run is now.
        panel: who may review it now.
        today: the day of the release.
    """
    givers = [one for one in standing.reviewers if plain_name(one) not in panel.requester]
    found = {
        Obstacle.REVOKED: standing.revoked,
        Obstacle.EXPIRED: today > standing.until,
        Obstacle.REVIEWERS: not are_enough(givers, panel),
        Obstacle.CHECKS: worst_verdict(record) is not Verdict.PASS,
        Obstacle.NOTEBOOK: not record.work.unchanged,
    }
    for name in ("shape", "code", "policy", "parameters"):
        found[Obstacle(name)] = parts is None or getattr(parts, name) != getattr(standing, name)
    return tuple(obstacle for obstacle, holds in found.items() if holds)


def is_ending(
    standing: StandingApproval, today: date, notice_days: int, next_run: date | None = None
) -> bool:
    """Tell whether its end is to be told: it is near, or the next run comes after it.

    Args:
        standing: an approval that still holds.
        today: the day.
        notice_days: how long ahead the unit wants to know.
        next_run: when the report recurs, if it does.
    """
    near = today >= standing.until - timedelta(days=notice_days)
    return near or (next_run is not None and next_run > standing.until)
