"""Hostile tickets through both trackers: every issue stands as any other, and nobody is called.

All 300 with WARDBOOK_CRASH=long.
"""

from __future__ import annotations

import os

import pytest
from jira.exceptions import JIRAError

from pipelines.demo.world import BOT
from requests_sync.payloads import whole_text
from tests.desk import Desk
from tests.hostile.texts import FAMILIES, hostile_texts
from wardbook.domain.states import State

pytestmark = pytest.mark.xdist_group("hostile_tickets")
LONG = os.environ.get("WARDBOOK_CRASH") == "long"
FEW = [*FAMILIES["markdown"][:6], *(family[0] for family in FAMILIES.values())]


def shown(desk: Desk, key: str) -> dict[str, object]:
    """What of an issue a quick action, or anything else, would have changed."""
    issue = desk.issue(key, BOT)
    notes = list(issue.notes.list(iterator=True))
    return {
        "state": issue.state,
        "confidential": issue.confidential,
        "labels": sorted(set(issue.labels) - {"priority::Medium"}),
        "assignees": issue.assignees,
        "locked": issue.discussion_locked,
        "due": issue.due_date,
        "lines in the title": len(issue.title.splitlines()),
        "system notes": sorted(note.body for note in notes if note.system),
        "written by": {note.author["username"] for note in notes},
    }


@pytest.mark.timeout(1800 if LONG else 300)
def test_a_hostile_ticket_changes_nothing(desk: Desk) -> None:
    plain = desk.file(description="Une question.")
    keys: dict[str, str] = {}
    for text in hostile_texts() if LONG else FEW:
        text = whole_text(text)  # the embedded Jira answers in UTF-8, which has no half characters
        line = " ".join(text.split()).replace("\0", "")[:200] or "x"
        try:
            key = desk.file(summary=line, description=text)
        except JIRAError:
            continue  # Jira itself does not take it
        desk.jira().add_comment(key, text if text.strip() else "x")
        keys[key] = text
    desk.jira().add_comment(plain, "Bonjour.")
    assert len(keys) > (250 if LONG else len(FEW) - 4)
    desk.sync()
    desk.sync()
    expected = shown(desk, plain)
    for key, text in keys.items():
        record = desk.record(key)
        assert record.state is State.PREPARED, text
        assert shown(desk, key) == expected, text
    assert len(desk.house.ledger.records()) == len(keys) + 1
    assert desk.house.ledger.dead_letters() == []


def test_the_same_texts_do_change_an_issue_where_they_are_not_quoted(desk: Desk) -> None:
    key = desk.file(description="Une question.")
    desk.sync()
    before = shown(desk, key)
    desk.issue(key, BOT).notes.create({"body": FAMILIES["markdown"][0]})
    assert shown(desk, key)["state"] != before["state"]
