"""Whose approval counts: one table of situations, each rule with what it lets through beside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from factories import make_record, make_request
from sample_settings import make_settings
from test_decide import step_of

from pipelines.decide import Step
from requests_sync.marks import digest_of_evidence, effect_mark, evidence_mark
from requests_sync.opinions import read_opinions, read_refusal
from wardbook.domain.output import Check, Verdict
from wardbook.domain.record import Intent, Record, Review, Work
from wardbook.domain.states import State
from wardbook.review.approving import (
    HIDDEN,
    Panel,
    Role,
    Uncounted,
    approvals_needed,
    are_enough,
    details_to_show,
    find_refusal,
    is_approved,
    judge_approvals,
    panel_of,
)
from wardbook.shipped import shipped_folder
from wardbook.template.spec import load_template

RUN = "data-1-0123456789abcdef"
TEXT = f"**Evidence**\n\n- [ ] 1. Small counts\n\n{evidence_mark(RUN)}"
SHOWN = f"{TEXT}\n\n{effect_mark(Intent('k', 'gitlab.note', {}))}"
BOT = "wardbook"
PEOPLE = {
    BOT: (1, "Wardbook"),
    "rfaure": (7, "Rémi Faure"),
    "slegrand": (8, "Sophie Legrand"),
    "npetit": (9, "Nadia Petit"),
    "alopes": (10, "Ana Lopes"),
    "cmoreau": (11, "Claire Moreau"),
    "project_3_bot_9f2a": (12, "token"),
}
PANEL = Panel(
    reviewers=frozenset({"rfaure", "slegrand", "cmoreau", "project_3_bot_9f2a", BOT}),
    officers=frozenset({"npetit"}),
    requester=frozenset({"cmoreau", "claire moreau"}),
    accounts={"rfaure": 7},
)
TWO = replace(PANEL, needed=2)


def note(person: str, body: str, /, *, system: bool = True, **author: Any) -> dict[str, Any]:
    number, name = PEOPLE[person]
    who = {"id": number, "username": person, "name": name, "state": "active"} | author
    return {"author": who, "body": body, "system": system, "created_at": "2026-03-02T12:00:00Z"}


def shown(body: str = SHOWN, by: str = BOT) -> dict[str, Any]:
    return note(by, body, system=False)


def approves(who: str, /, **author: Any) -> dict[str, Any]:
    return note(who, "approved this merge request", **author)


def takes_back(username: str) -> dict[str, Any]:
    return note(username, "unapproved this merge request")


def says(username: str, body: str) -> dict[str, Any]:
    return note(username, body, system=False)


@dataclass(frozen=True)
class Situation:
    """What the merge request says, in order, and whether the outputs may leave."""

    name: str
    notes: tuple[dict[str, Any], ...]
    leaves: bool
    why_not: Uncounted | None = None
    panel: Panel = PANEL
    review: Mapping[str, Any] = field(default_factory=dict)
    evidence: str = TEXT


def record_of(situation: Situation) -> Record:
    work = Work(run=RUN, commit="c1", evidence=digest_of_evidence(situation.evidence))
    held = make_record(State.HELD, work=work)
    numbered = [one | {"id": place} for place, one in enumerate(situation.notes, 1)]
    said = read_opinions(reversed(numbered), held, BOT)  # in whatever order GitLab lists them
    review = Review(
        head="c1",
        authors=("Ana Lopes", "Wardbook"),
        hands=tuple(said.pushed),
        approvals=tuple(said.approvals.values()),
        refusals=tuple(said.refusals),
        closed_by=said.closed_by,
    )
    return replace(held, review=replace(review, **situation.review))


S = Situation
FAURE, LEGRAND, PETIT = approves("rfaure"), approves("slegrand"), approves("npetit")
SITUATIONS = [
    # one approval
    S("a reviewer", (shown(), FAURE), True),
    S("nobody", (shown(),), False),
    S("not in the list", (shown(), approves("alopes")), False, Uncounted.NO_ROLE),
    S("removed from the list", (shown(), FAURE), False, Uncounted.NO_ROLE,
      replace(PANEL, reviewers=frozenset({"slegrand"}))),
    S("another one removed", (shown(), FAURE), True, None,
      replace(PANEL, reviewers=frozenset({"rfaure"}))),
    S("an officer alone", (shown(), PETIT), False),
    S("renamed, the list has the old name", (shown(), approves("rfaure", username="remi.f")), False,
      Uncounted.NO_ROLE),
    S("a stranger took over the name", (shown(), approves("rfaure", id=99)), False,
      Uncounted.OTHER_ACCOUNT),
    S("a name that is not pinned", (shown(), approves("slegrand", id=98)), True),
    S("blocked meanwhile", (shown(), approves("rfaure", state="blocked")), False,
      Uncounted.BLOCKED),
    S("the bot of an access token", (shown(), approves("project_3_bot_9f2a")), False,
      Uncounted.BOT),
    S("the requester", (shown(), approves("cmoreau")), False, Uncounted.REQUESTER),
    S("the requester's name on another account",
      (shown(), approves("rfaure", name="Claire Moreau")), False, Uncounted.REQUESTER),
    # who had a hand in the work
    S("wrote a commit", (shown(), FAURE), False, Uncounted.AUTHOR,
      review={"authors": ("Rémi Faure",)}),
    S("wrote it in capitals", (shown(), FAURE), False, Uncounted.AUTHOR,
      review={"authors": ("RÉMI  FAURE",)}),
    S("another wrote it", (shown(), FAURE), True, review={"authors": ("Sophie Legrand",)}),
    S("committed by their address", (shown(), FAURE), False, Uncounted.AUTHOR,
      review={"hands": ("rfaure@hopital.example",)}),
    S("committed by GitLab's private address", (shown(), FAURE), False, Uncounted.AUTHOR,
      review={"hands": ("7-rfaure@users.noreply.gitlab.example",)}),
    S("another's address", (shown(), FAURE), True,
      review={"hands": ("8-slegrand@users.noreply.gitlab.example",)}),
    S("pushed another's commit", (note("rfaure", "added 1 commit\n\n<ul>…"), shown(), FAURE), False,
      Uncounted.AUTHOR),
    S("another pushed", (note("slegrand", "added 2 commits\n\n<ul>…"), shown(), FAURE), True),
    # which evidence
    S("before the evidence", (FAURE, shown()), False),
    S("before it was shown again", (shown(), FAURE, shown()), False),
    S("again after it was shown again", (shown(), FAURE, shown(), FAURE), True),
    S("of another run", (shown(SHOWN.replace(RUN, "data-1-ffffffffffffffff")), FAURE), False),
    S("somebody else wrote the evidence", (shown(by="alopes"), FAURE), False),
    S("the evidence was edited", (shown(SHOWN.replace("Evidence", "All is well")), FAURE), False),
    S("the list was only ticked", (shown(SHOWN.replace("[ ]", "[x]")), FAURE), True),
    S("judged anew since", (shown(), FAURE), False, evidence=TEXT.replace("1.", "2.")),
    S("a new commit since", (shown(), FAURE), False, Uncounted.NEW_COMMIT,
      review={"head": "c2"}),
    # taken back
    S("withdrawn", (shown(), FAURE, takes_back("rfaure")), False),
    S("withdrawn and given again", (shown(), FAURE, takes_back("rfaure"), FAURE), True),
    S("another withdrew", (shown(), FAURE, LEGRAND, takes_back("slegrand")), True),
    S("asked for changes", (shown(), FAURE, note("rfaure", "requested changes")), False),
    S("reset by a push", (shown(), FAURE, note("alopes", "reset approvals from @rfaure")), False),
    S("a comment that says so", (shown(), says("rfaure", "approved this merge request")), False),
    # two approvals
    S("two reviewers", (shown(), FAURE, LEGRAND), True, None, TWO),
    S("a reviewer and the officer", (shown(), FAURE, PETIT), True, None, TWO),
    S("one of two", (shown(), FAURE), False, None, TWO),
    S("the same one twice", (shown(), FAURE, FAURE), False, None, TWO),
    S("one person, two names", (shown(), LEGRAND, approves("npetit", id=8)), False,
      Uncounted.TWICE, TWO),
    S("two officers", (shown(), PETIT, LEGRAND), False, None,
      replace(TWO, reviewers=frozenset({"rfaure"}), officers=frozenset({"npetit", "slegrand"}))),
    S("the second wrote a commit", (shown(), FAURE, LEGRAND), False, Uncounted.AUTHOR, TWO,
      {"authors": ("Sophie Legrand",)}),
    S("the second asked for it", (shown(), FAURE, approves("cmoreau")), False,
      Uncounted.REQUESTER, TWO),
    S("the second before it was shown again", (shown(), FAURE, shown(), LEGRAND), False, None, TWO),
    S("the second withdrew", (shown(), FAURE, PETIT, takes_back("npetit")), False, None, TWO),
    S("two and a stranger", (shown(), FAURE, approves("alopes"), PETIT), True, Uncounted.NO_ROLE,
      TWO),
]  # fmt: skip


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda one: one.name)
def test_an_approval_counts_or_does_not(situation: Situation) -> None:
    record = record_of(situation)
    assert is_approved(record, situation.panel) is situation.leaves
    reasons = {one.why_not for one in judge_approvals(record, situation.panel)}
    assert (reasons - {None}) == ({situation.why_not} if situation.why_not else set())
    step = step_of(record, situation.panel)
    moved_on = Step.MEND if situation.why_not is Uncounted.NEW_COMMIT else Step.REST
    assert step is (Step.REVIEW if situation.leaves else moved_on)


def test_the_table_holds_every_reason_and_every_situation_once() -> None:
    assert {one.why_not for one in SITUATIONS} == {None, *Uncounted}
    names = [one.name for one in SITUATIONS]
    assert len(names) == len(set(names)) >= 25


def test_whoever_is_enough_has_a_reviewer_among_them() -> None:
    assert are_enough(["rfaure", "npetit"], TWO)
    assert not are_enough(["npetit", "npetit"], TWO)
    assert not are_enough(["npetit"], PANEL)
    assert PANEL.roles_of("npetit") == {Role.OFFICER}
    assert PANEL.members == tuple(sorted(PANEL.reviewers)), "an officer is asked only for two"
    assert "npetit" in TWO.members


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "causes", "text"),
    [
        ("Refus : 1, 4 — trop fin pour la Corse", (1, 4), "trop fin pour la Corse"),
        ("refusé: 3", (3,), ""),
        ("Refus\u00a0: les lignes par jour", (), "les lignes par jour"),
        ("Refused: 5 no caption", (5,), "no caption"),
        ("Refus : 12 lignes de trop", (), "12 lignes de trop"),
    ],
)
def test_a_refusal_is_read_from_its_form(body: str, causes: tuple[int, ...], text: str) -> None:
    found = read_refusal(body, "rfaure", "Rémi Faure")
    assert found is not None
    assert (found.causes, found.text) == (causes, text)


@pytest.mark.parametrize("body", ["Je refuse : 1", "Le refus : non", "Refusal", "OK pour moi"])
def test_other_comments_are_no_refusals(body: str) -> None:
    assert read_refusal(body, "rfaure", "Rémi Faure") is None


REFUSES = says("rfaure", "Refus : 1")
CLOSES = note("alopes", "closed")


@pytest.mark.parametrize(
    ("notes", "state", "expected"),
    [
        ((shown(), REFUSES), "opened", "rfaure"),
        ((shown(), says("npetit", "Refus : 2")), "opened", "npetit"),
        ((shown(), says("alopes", "Refus : 1")), "opened", None),
        ((REFUSES, shown()), "opened", None),
        ((shown(), REFUSES, shown()), "opened", None),
        ((shown(), says("rfaure", "à revoir"), note("rfaure", "closed")), "closed", "rfaure"),
        ((shown(), CLOSES), "closed", "alopes"),
        ((shown(), REFUSES, CLOSES), "closed", "rfaure"),
        ((shown(), CLOSES, note("alopes", "reopened")), "opened", None),
    ],
)
def test_who_turned_it_down(
    notes: tuple[dict[str, Any], ...], state: str, expected: str | None
) -> None:
    record = record_of(Situation("", notes, False, review={"state": state}))
    found = find_refusal(record, PANEL)
    assert (found.username if found else None) == expected
    assert (step_of(record, PANEL) is Step.TURN_DOWN) is (expected is not None)


def test_the_closers_last_words_are_the_reason() -> None:
    notes = (shown(), says("rfaure", "à revoir"), note("rfaure", "closed"))
    found = find_refusal(record_of(S("", notes, False, review={"state": "closed"})), PANEL)
    assert found is not None
    assert found.text == "à revoir"


# --- who has to, who sees -------------------------------------------------------------------------


def test_what_is_about_persons_takes_two_and_a_policy_may_ask_for_more() -> None:
    line_list = load_template(shipped_folder("templates") / "line_list").spec
    held = Check("stays", "sensitivity", Verdict.HOLD, "about_persons")
    assert approvals_needed(line_list, [held]) == {"stays": 2}
    assert approvals_needed(line_list, [replace(held, approvals=3)]) == {"stays": 3}
    epidemic = load_template(shipped_folder("templates") / "hospital_epidemic").spec
    ordinary = Check("report", "sources", Verdict.HOLD, "text_from_patients")
    assert approvals_needed(epidemic, [ordinary]) == {}
    assert approvals_needed(epidemic, [replace(ordinary, approvals=2)]) == {"report": 2}
    passed = replace(ordinary, approvals=2, verdict=Verdict.PASS)
    assert approvals_needed(epidemic, [passed]) == {}


def test_the_panel_follows_the_settings_as_they_are() -> None:
    settings = make_settings()
    spec = load_template(shipped_folder("templates") / "line_list").spec
    check = Check("stays", "sensitivity", Verdict.HOLD, "about_persons")
    record = make_record(State.HELD, work=Work(checks=(check,)), request=make_request())
    panel = panel_of(settings, record, spec)
    assert panel.reviewers == {"rfaure"}
    assert panel.officers == {"npetit"}
    assert panel.needed == 2
    assert panel_of(settings, record, None).needed == 2, "an unknown template takes two"
    gitlab = settings.gitlab.model_copy(update={"people": {"cmoreau": "claire", "npetit": "np"}})
    renamed = panel_of(settings.model_copy(update={"gitlab": gitlab}), record, spec)
    assert "claire" in renamed.requester
    assert renamed.officers == {"np"}
    gone = replace(record, request=make_request(service="nowhere"))
    assert not is_approved(gone, panel_of(settings, gone, spec))


def test_gitlab_sees_counts_of_cells_and_thresholds_and_no_value() -> None:
    details = (("cells", "2"), ("least", "11"), ("value", "DUPONT"), ("smallest", "3"))
    check = Check("t", "counts", Verdict.HOLD, "small_counts", details)
    told = {"cells": "2", "least": "11", "value": HIDDEN, "smallest": HIDDEN}
    assert details_to_show(check, public=False) == told
    assert details_to_show(check, public=True) == dict(details), "what is published may be told"
