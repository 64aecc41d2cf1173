"""A standing approval: what it holds for, and what ends it, part by part."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from factories import make_record, make_request
from tiny_template import TEMPLATE, write_template

from wardbook.domain.made_from import MadeFrom, digest_parameters
from wardbook.domain.output import Check, PolicyReference, Verdict
from wardbook.domain.record import Record, Work
from wardbook.domain.states import State
from wardbook.review.approving import Panel
from wardbook.review.standing import (
    Obstacle,
    find_obstacles,
    find_standing,
    is_ending,
    parts_of_record,
)
from wardbook.settings import StandingApproval
from wardbook.template.spec import Template, load_template

TODAY = date(2026, 3, 2)
DAY = timedelta(days=1)
PANEL = Panel(reviewers=frozenset({"rfaure", "slegrand"}), officers=frozenset({"npetit"}))
POLICY = PolicyReference("fr-hospital", "1.0.0", "a" * 64)
DECLARED = """
[parameters.region]
type = "text"
label = { fr = "Région", en = "Region" }
example = "Corse"
[parameters.first]
type = "date"
label = { fr = "Premier jour", en = "First day" }
example = "2026-01-01"
from_period = "first_day"
"""


def template_of(folder: Path, declared: str = TEMPLATE + DECLARED, code: str = "1") -> Template:
    return load_template(write_template(folder, code, declared=declared))


@pytest.fixture
def template(tmp_path: Path) -> Template:
    return template_of(tmp_path / "approved")


def record_of(
    parameters: str = '{"region": "Corse", "first": "2026-01-01"}',
    policy: PolicyReference = POLICY,
    verdict: Verdict = Verdict.PASS,
    source: str = "spf",
    **work: object,
) -> Record:
    made = MadeFrom("c1", "tiny", "1", "d" * 64, digest_parameters(parameters.encode()), {}, "e")
    check = Check("report", "sources", verdict, "public_sources", policy=policy)
    done = Work(made_from=made, checks=(check,), unchanged=True)
    return make_record(
        State.CHECKED,
        request=make_request(template="tiny", sources={"hospital": source}),
        work=replace(done, **work),  # type: ignore[arg-type]
    )


def approval(template: Template, **changes: object) -> StandingApproval:
    parts = parts_of_record(record_of(), template)
    assert parts is not None
    given = {"reviewers": ("rfaure",), "until": TODAY, **asdict(parts)}
    return StandingApproval.model_validate(given | changes)


def obstacles(
    standing: StandingApproval,
    record: Record,
    template: Template,
    panel: Panel = PANEL,
    today: date = TODAY,
) -> set[Obstacle]:
    parts = parts_of_record(record, template)
    return set(find_obstacles(standing, record, parts, panel, today))


def test_an_unchanged_report_leaves_until_the_last_day(template: Template) -> None:
    assert obstacles(approval(template), record_of(), template) == set()
    later = obstacles(approval(template), record_of(), template, today=TODAY + DAY)
    assert later == {Obstacle.EXPIRED}


def test_another_period_is_no_change(template: Template) -> None:
    other = record_of('{"region": "Corse", "first": "2026-02-01"}')
    assert obstacles(approval(template), other, template) == set()


@pytest.mark.parametrize(
    ("record", "obstacle"),
    [
        (record_of('{"region": "Bretagne", "first": "2026-01-01"}'), Obstacle.PARAMETERS),
        (record_of('{"first": "2026-01-01"}'), Obstacle.PARAMETERS),
        (record_of(source="spf_coupe"), Obstacle.PARAMETERS),
        (record_of(policy=replace(POLICY, digest="b" * 64)), Obstacle.POLICY),
        (record_of(verdict=Verdict.HOLD), Obstacle.CHECKS),
        (record_of(verdict=Verdict.REFUSE), Obstacle.CHECKS),
        (record_of(unchanged=False), Obstacle.NOTEBOOK),
    ],
)
def test_what_changed_is_named(record: Record, obstacle: Obstacle, template: Template) -> None:
    assert obstacles(approval(template), record, template) == {obstacle}


def test_another_code_or_shape_is_named(template: Template, tmp_path: Path) -> None:
    standing = approval(template)
    code = template_of(tmp_path / "code", code="2")
    assert obstacles(standing, record_of(), code) == {Obstacle.CODE}
    shape = template_of(tmp_path / "shape", TEMPLATE.replace("public", "internal") + DECLARED)
    assert obstacles(standing, record_of(), shape) == {Obstacle.CODE, Obstacle.SHAPE}
    worded = template_of(tmp_path / "words", TEMPLATE.replace("Rapport", "Bilan") + DECLARED)
    assert obstacles(standing, record_of(), worded) == {Obstacle.CODE}, "a title is no shape"


def test_a_run_of_unknown_parts_does_not_leave(template: Template) -> None:
    unknown = record_of(made_from=None)
    parts = {Obstacle.SHAPE, Obstacle.CODE, Obstacle.POLICY, Obstacle.PARAMETERS}
    assert obstacles(approval(template), unknown, template) == parts


@pytest.mark.parametrize(
    ("givers", "panel", "holds"),
    [
        (("rfaure",), PANEL, True),
        (("rfaure",), replace(PANEL, reviewers=frozenset({"slegrand"})), False),
        (("npetit",), PANEL, False),
        (("rfaure",), replace(PANEL, requester=frozenset({"rfaure"})), False),
        (("rfaure",), replace(PANEL, needed=2), False),
        (("rfaure", "rfaure"), replace(PANEL, needed=2), False),
        (("rfaure", "npetit"), replace(PANEL, needed=2), True),
    ],
)
def test_those_who_gave_it_still_have_to_be_enough(
    givers: tuple[str, ...], panel: Panel, holds: bool, template: Template
) -> None:
    found = obstacles(approval(template, reviewers=givers), record_of(), template, panel)
    assert found == (set() if holds else {Obstacle.REVIEWERS})


def test_a_revoked_one_says_so(template: Template) -> None:
    standing = approval(template, revoked=True)
    assert obstacles(standing, record_of(), template) == {Obstacle.REVOKED}


def test_a_requests_own_approval_comes_before_its_templates(template: Template) -> None:
    own, common = approval(template), approval(template, revoked=True)
    record = record_of()
    assert find_standing({"tiny": common, record.key: own}, record) == (record.key, own)
    assert find_standing({"tiny": common}, record) == ("tiny", common)
    assert find_standing({"line_list": common}, record) is None


@pytest.mark.parametrize(
    ("left", "next_run", "told"),
    [(31, None, False), (30, None, True), (0, None, True), (31, 31, False), (31, 32, True)],
)
def test_its_end_is_told_ahead(
    left: int, next_run: int | None, told: bool, template: Template
) -> None:
    standing = approval(template, until=TODAY + left * DAY)
    runs = TODAY + next_run * DAY if next_run else None
    assert is_ending(standing, TODAY, 30, runs) is told
