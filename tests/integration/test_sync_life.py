"""What happens to tickets in real life: each case shows on the other side, told, and lost nowhere.

The fault schedules (tests/sync_schedules.py) mix such cases at random; here each is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.demo.world import ANALYST, BOT, DIRECTION, HYGIENE, REVIEWER
from tests.desk import Desk, open_desk
from wardbook.domain.states import State
from wardbook.sandbox import Account, Fault, JiraProject, Seed

pytestmark = pytest.mark.xdist_group("sync_life")


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Desk]:
    with open_desk(tmp_path, "cloud") as desk:
        yield desk


def change(issue: Any, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(issue, name, value)
    issue.save()


def test_edited_on_both_sides_between_two_passes(desk: Desk) -> None:
    """Each field follows its owner; what has two owners follows the analysts."""
    key = desk.file(summary="Avant", labels=["a"])
    desk.quiet()
    analysts = desk.project().manager.gitlab.users.list(username=ANALYST)
    change(
        desk.issue(key),
        title="De l'analyste",
        labels=[*desk.issue(key).labels, "mien"],
        assignee_ids=[analysts[0].id],
    )
    ticket = desk.jira().issue(key)
    ticket.update(fields={"summary": "Du demandeur", "labels": ["b"]})
    desk.jira(BOT).assign_issue(key, REVIEWER)
    desk.quiet()
    issue = desk.issue(key)
    assert issue.title == f"{key} · Du demandeur"
    assert {"jira:b", "mien"} <= set(issue.labels)
    assert "jira:a" not in issue.labels
    assert issue.assignees[0]["username"] == ANALYST
    assert desk.jira().issue(key).fields.assignee.name == ANALYST


def test_closed_on_one_side_and_written_on_the_other(desk: Desk) -> None:
    key = desk.file()
    desk.quiet()
    change(desk.issue(key), state_event="close")
    desk.jira().add_comment(key, "Encore une chose")
    desk.quiet()
    assert desk.record(key).state is State.CLOSED
    assert sum("Encore une chose" in note for note in desk.notes(key)) == 1


def test_a_transition_whose_screen_wants_a_field_is_reported_not_forced(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wardbook.sandbox.jira import workflow

    wanting = tuple(
        replace(move, screen=("duedate",)) if move.id == "11" else move
        for move in workflow.TRANSITIONS
    )
    monkeypatch.setattr(workflow, "TRANSITIONS", wanting)
    key = desk.file()
    desk.quiet()
    assert desk.house.jira.status(key)[0] == "À traiter"
    ((effect, told),) = desk.house.ledger.skipped_effects(key)
    assert "jira.transition" in effect
    assert "duedate" in told
    assert desk.record(key).state is State.PREPARED, "the work goes on"


def test_a_ticket_that_moved_to_another_project_closes_its_issue(desk: Desk) -> None:
    key = desk.file()
    desk.jira().add_comment(key, "avant le départ")
    desk.quiet()
    other = JiraProject("AUTRE", "Autre", ["Demande de données"])
    desk.sandbox.seed(Seed(jira_projects=[other]))
    moved = desk.sandbox.move_ticket(key, "AUTRE")
    desk.later(hours=7)  # the census is due
    desk.quiet()
    assert desk.record(key).state is State.CLOSED
    assert desk.issue(key).state == "closed"
    assert len(desk.notes(key)) == 2, "the copied comment, and why it was closed"
    before = desk.house.ledger.counts()
    desk.jira(BOT).issue(moved)  # it is there, and none of our business
    desk.later(hours=7)
    desk.quiet()
    assert desk.house.ledger.counts() == before


def test_a_renamed_key_stays_the_same_request(desk: Desk) -> None:
    """Away and back again: the ticket has another key and the same id."""
    key = desk.file(summary="Même demande")
    desk.quiet()
    desk.sandbox.seed(Seed(jira_projects=[JiraProject("AUTRE", "Autre", ["Demande de données"])]))
    desk.sandbox.move_ticket(key, "AUTRE")
    renamed = desk.sandbox.move_ticket("AUTRE-1", "DATA")
    assert renamed != key
    desk.quiet()
    record = desk.record(key)
    assert record.ticket.key == renamed
    assert desk.issue(key).title == f"{renamed} · Même demande"
    assert len(desk.project().issues.list(state="all", get_all=True)) == 1
    desk.lose_ledger()
    desk.quiet()
    assert len(desk.project().issues.list(state="all", get_all=True)) == 1, "found by Jira's id"


def test_somebody_unknown_in_gitlab_is_told_not_forced(desk: Desk) -> None:
    key = desk.file()
    desk.quiet()
    address, token = "inconnue@hopital.example", desk.world.token("inconnue")
    desk.sandbox.seed(Seed(accounts=[Account("inconnue", "Une Inconnue", address, token)]))
    settings = desk.settings.gitlab.model_copy(update={"people": {"inconnue": "personne"}})
    desk.settings = desk.settings.model_copy(update={"gitlab": settings})
    desk.house.settings = desk.settings
    desk.jira(BOT).assign_issue(key, "inconnue")
    desk.quiet()
    issue = desk.issue(key)
    assert issue.assignees == []
    assert "Une Inconnue" in issue.description


def test_a_deleted_label_comes_back_when_it_is_needed(desk: Desk) -> None:
    key = desk.file(labels=["grippe"])
    desk.quiet()
    desk.project(REVIEWER).labels.delete("jira:grippe")
    other = desk.file(labels=["grippe"])
    desk.quiet()
    assert "jira:grippe" in desk.issue(other).labels
    assert key != other


@pytest.mark.parametrize("skew", [-3600, 3600])
def test_clocks_that_differ_by_an_hour_lose_nothing(tmp_path: Path, skew: int) -> None:
    with open_desk(tmp_path, jira_skew_seconds=skew, gitlab_skew_seconds=-skew) as desk:
        key = desk.file()
        desk.quiet()
        for number in range(3):
            desk.jira().add_comment(key, f"de Jira {number}")
            desk.issue(key).notes.create({"body": f"de GitLab {number}"})
            desk.later(minutes=3)
            desk.quiet()
        assert [f"de Jira {n}" in note for n, note in enumerate(desk.notes(key))] == [True] * 3
        assert [f"de GitLab {n}" in copy for n, copy in enumerate(desk.copies(key))] == [True] * 3


@pytest.mark.parametrize("server", ["jira", "gitlab"])
def test_a_server_away_for_a_day(desk: Desk, server: str) -> None:
    key = desk.file()
    desk.quiet()
    desk.jira().add_comment(key, "avant")
    desk.issue(key).notes.create({"body": "avant aussi"})
    desk.sandbox.faults.add(Fault(server, "cut_before"))  # type: ignore[arg-type]
    for _ in range(24):
        assert desk.try_sync().faults
        desk.later(hours=1)
    desk.sandbox.faults.clear()
    fresh = desk.file()
    desk.later(hours=1)
    desk.quiet()
    assert len(desk.notes(key)) == len(desk.copies(key)) == 1
    assert desk.record(fresh).state is State.PREPARED
    assert list(desk.house.ledger.stuck_intents()) == []


def test_a_bad_payload_is_shown_and_holds_up_no_other(desk: Desk) -> None:
    bad, good = desk.file(), desk.file()
    with desk.sandbox.store.transaction(write=True) as records:
        ticket = records.find("jira.issue", bad)
        assert ticket is not None
        ticket["fields"]["summary"] = {"not": "a text"}
        records.save("jira.issue", ticket)
        for version in records.all("jira.version", ticket["id"]):
            records.delete("jira.version", version["id"])
        records.insert("jira.version", {"at": 0, "issue": ticket}, owner=ticket["id"])
    desk.sync()
    assert desk.record(good).state is State.PREPARED
    (letter,) = desk.house.ledger.dead_letters()
    assert letter.ticket_key == bad
    assert "summary" in letter.reason
    desk.jira().issue(bad).update(fields={"summary": "Réparé"})
    desk.quiet()
    assert desk.house.ledger.dead_letters() == []
    assert desk.record(bad).state is State.PREPARED


def test_a_project_made_anew_gives_a_key_twice_and_holds_up_no_other(desk: Desk) -> None:
    key = desk.file()
    desk.quiet()
    with desk.sandbox.store.transaction(write=True) as records:
        ticket = records.find("jira.issue", key)
        assert ticket is not None
        records.delete("jira.issue", ticket["id"])
        records._connection.execute("delete from sequence where name like 'jira.key.%'")
    again, other = desk.file(summary="Tout autre chose"), desk.file()
    assert (again, other) == (key, "DATA-2")
    desk.quiet()
    assert desk.record(other).state is State.PREPARED
    assert desk.record(key).state is State.CLOSED, "the first ticket is gone"
    assert desk.record(key).ticket.summary == "Petite question"
    (letter,) = desk.house.ledger.dead_letters()
    assert letter.ticket_key == key
    assert "another id" in letter.reason
    assert desk.jira().comments(again) == [], "it is not answered in the name of the other"


def test_cloud_agrees_as_server_does(cloud: Desk) -> None:
    key = cloud.file()
    jira = cloud.jira()
    for number in range(25):  # more than a search shows
        jira.add_comment(key, f"commentaire {number}")
    file = cloud.world.folder / "mesures.csv"
    file.write_bytes(b"a;b\n1;2\n")
    jira.add_attachment(key, str(file))
    cloud.quiet()
    assert cloud.record(key).state is State.PREPARED
    assert len(cloud.notes(key)) == 26
    assert "mesures" in cloud.notes(key)[-1]
    cloud.issue(key).notes.create({"body": "réponse"})
    analysts = cloud.project().manager.gitlab.users.list(username=ANALYST)
    change(cloud.issue(key), assignee_ids=[analysts[0].id])
    cloud.quiet()
    assert len(cloud.copies(key)) == 1
    assert jira.issue(key).fields.assignee.accountId == cloud.account_id(ANALYST)
    change(cloud.issue(key), state_event="close")
    cloud.quiet()
    assert cloud.house.jira.status(key)[1]


def test_an_unmapped_service_is_refused_clearly(desk: Desk) -> None:
    services = {DIRECTION: desk.settings.services[DIRECTION]}
    desk.settings = desk.settings.model_copy(update={"services": services})
    desk.house.settings = desk.settings
    key = desk.file(components=[{"name": HYGIENE}])
    desk.quiet()
    assert desk.record(key).state is State.REFUSED
    (told,) = [comment["body"] for comment in desk.house.jira.comments(key)]
    assert HYGIENE in told
    assert DIRECTION in told
