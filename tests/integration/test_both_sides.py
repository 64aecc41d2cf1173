"""Both sides of a request agree: what people do on one shows on the other."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from pipelines.demo.world import ANALYST, BOT, FIELDS, REVIEWER
from pipelines.drift import find_drift
from pipelines.rehearsal import rehearse
from tests.desk import Desk
from wardbook.domain.states import State
from wardbook.ledger import schema
from wardbook.sandbox import Fault

pytestmark = pytest.mark.xdist_group("both_sides")


def test_a_new_ticket_costs_four_writes(desk: Desk) -> None:
    key = desk.file()
    desk.sync()  # the first pass begins the ledger and signs in
    other = desk.file()
    before = len(desk.writes())
    desk.sync()
    written = desk.writes()[before:]
    assert [(entry.server, entry.method) for entry in written] == [
        ("gitlab", "POST"),
        ("gitlab", "POST"),
        ("jira", "POST"),
        ("jira", "POST"),
    ]
    desk.quiet()
    assert desk.record(key).state is desk.record(other).state is State.PREPARED


def test_comments_go_both_ways_once(desk: Desk) -> None:
    key = desk.file()
    jira = desk.jira()
    jira.add_comment(key, "Où en êtes-vous ? *Merci* à l’équipe")
    desk.sync()
    desk.issue(key).notes.create({"body": "C’est **presque** fini, façon été"})
    desk.quiet()
    (note,) = [note for note in desk.notes(key) if "wardbook:comment" in note]
    assert "Claire Moreau" in note
    assert "Où en êtes-vous" in note
    (comment,) = desk.copies(key)
    assert "Ana Lopes" in comment
    assert "façon été" in comment


def test_an_edited_comment_is_rewritten_and_a_deleted_one_goes(desk: Desk) -> None:
    key = desk.file()
    jira = desk.jira()
    first = jira.add_comment(key, "premier")
    jira.add_comment(key, "second")
    desk.quiet()
    first.update(body="premier, corrigé")
    desk.quiet()
    assert [("corrigé" in note) for note in desk.notes(key)] == [True, False]
    first.delete()
    desk.quiet()
    (kept,) = desk.notes(key)
    assert "second" in kept

    note = desk.issue(key).notes.create({"body": "une note"})
    desk.quiet()
    desk.later(minutes=2)  # GitLab stamps an issue for a note once a minute only
    edited = desk.issue(key).notes.get(note.id)
    edited.body = "une note, corrigée"
    edited.save()
    desk.quiet()
    (copy,) = desk.copies(key)
    assert "corrigée" in copy
    edited.delete()
    desk.quiet()
    assert desk.copies(key) == []


def test_what_is_not_for_all_stays_where_it_is(desk: Desk) -> None:
    key = desk.file()
    desk.sync()
    desk.issue(key).notes.create({"body": "entre nous", "internal": True})
    desk.quiet()
    assert desk.copies(key) == []


def test_the_ticket_owns_title_text_labels_and_due_date(desk: Desk) -> None:
    key = desk.file()
    desk.sync()
    issue = desk.issue(key)
    issue.description += "\n\nMes notes de travail."
    issue.labels = [*issue.labels, "à moi"]
    issue.title = "Autre titre"
    issue.save()
    desk.jira().issue(key).update(
        fields={"labels": ["grippe"], "duedate": "2027-03-01", "summary": "Titre corrigé"}
    )
    desk.quiet()
    issue = desk.issue(key)
    assert issue.title == f"{key} · Titre corrigé"
    assert issue.due_date == "2027-03-01"
    assert {"jira:grippe", "à moi"} <= set(issue.labels)
    assert issue.description.endswith("Mes notes de travail.")


def test_the_analyst_is_the_same_on_both_sides(desk: Desk) -> None:
    key = desk.file()
    desk.sync()
    analyst = desk.project().manager.gitlab.users.list(username=ANALYST)[0]
    issue = desk.issue(key)
    issue.assignee_ids = [analyst.id]
    issue.save()
    desk.quiet()
    assert desk.jira().issue(key).fields.assignee.name == ANALYST
    desk.jira(BOT).assign_issue(key, REVIEWER)
    desk.quiet()
    assert desk.issue(key).assignees[0]["username"] == REVIEWER


def test_closing_and_opening_by_hand_goes_both_ways(desk: Desk) -> None:
    key = desk.file()
    desk.sync()
    issue = desk.issue(key)
    issue.state_event = "close"
    issue.save()
    desk.quiet()
    assert desk.record(key).state is State.CLOSED
    ticket = desk.jira().issue(key)
    assert (ticket.fields.status.name, ticket.fields.resolution.name) == (
        "Résolu",
        "Ne sera pas traité",
    )
    desk.jira().transition_issue(key, "71")
    desk.quiet()
    assert desk.issue(key).state == "opened"
    assert desk.record(key).state is State.PREPARED
    assert desk.house.jira.status(key) == ("En cours", False)
    desk.jira().transition_issue(key, "51", fields={"resolution": {"name": "Annulé"}})
    desk.quiet()
    assert desk.issue(key).state == "closed"
    assert "resolution::Annulé" in desk.issue(key).labels
    assert desk.record(key).state is State.CLOSED
    issue = desk.issue(key)
    issue.state_event = "reopen"
    issue.save()
    desk.quiet()
    assert desk.record(key).state is State.PREPARED
    assert desk.house.jira.status(key) == ("En cours", False)


def test_a_deleted_ticket_closes_its_issue(desk: Desk) -> None:
    key = desk.file()
    desk.sync()
    with desk.sandbox.store.transaction(write=True) as records:
        ticket = records.find("jira.issue", key)
        records.delete("jira.issue", ticket["id"])
    desk.issue(key).notes.create({"body": "encore là ?"})
    desk.sync()
    desk.later(hours=12)  # the census is due
    desk.quiet()
    assert desk.issue(key).state == "closed"
    assert desk.record(key).state is State.CLOSED


def test_a_rehearsal_tells_all_and_does_nothing(desk: Desk) -> None:
    desk.sync()
    key = desk.file()
    desk.jira().add_comment(key, "une question")
    before = len(desk.writes())
    outcome, planned = rehearse(desk.house)
    assert outcome.faults == {}
    assert len(desk.writes()) == before
    assert desk.house.ledger.record(key) is None, "the ledger was not touched either"
    would = [one.kind for one in planned if one.request == key]
    desk.sync()
    with desk.house.ledger.reading() as reading:
        effects = schema.effects
        did = reading.execute(select(effects.c.kind).order_by(effects.c.number)).scalars().all()
    assert would == did
    assert rehearse(desk.house)[1] == []


def drifts(desk: Desk, *, repair: bool = False) -> list[tuple[str, str, bool]]:
    found = find_drift(desk.house, (), repair=repair)
    return sorted((one.difference.what, one.difference.about, one.repaired) for one in found)


def test_drift_finds_what_differs_and_repairs_it(desk: Desk) -> None:
    key = desk.file()
    jira = desk.jira()
    for text in ("un", "deux", "trois"):
        jira.add_comment(key, text)
    desk.sync()
    desk.issue(key).notes.create({"body": "quatre"})
    desk.quiet()
    assert drifts(desk) == []

    copies = [note for note in desk.issue(key, BOT).notes.list(iterator=True) if not note.system]
    by_text = {t: note for note in copies for t in ("un", "deux", "trois") if t in note.body}
    by_text["un"].delete()
    by_text["deux"].body = "autre chose\n" + by_text["deux"].body.rpartition("\n")[2]
    by_text["deux"].save()
    desk.issue(key, BOT).notes.create({"body": by_text["trois"].body})
    (comment,) = [c for c in jira.comments(key) if "quatre" in c.body]
    desk.jira(BOT).comment(key, comment.id).delete()
    issue = desk.issue(key)
    issue.title, issue.labels = "Autre", []
    issue.save()

    whats = [what for what, _, _ in drifts(desk)]
    assert whats == ["differs", "double", "fields", "missing", "missing", "state"]
    assert all(repaired for _, _, repaired in drifts(desk, repair=True))
    assert drifts(desk) == []
    desk.quiet()
    assert drifts(desk) == []
    assert len(desk.notes(key)) == 3
    assert len(desk.copies(key)) == 1


def test_a_ticket_that_is_closed_before_our_move_stays_closed(desk: Desk) -> None:
    desk.sync()
    key = desk.file()
    desk.sandbox.faults.add(Fault("jira", "503", "POST", "/transitions$", retry_after=0))
    desk.try_sync()
    desk.sandbox.faults.clear()
    desk.jira().transition_issue(key, "51", fields={"resolution": {"name": "Annulé"}})
    desk.later(minutes=1)
    desk.quiet()
    assert desk.record(key).state is State.CLOSED
    assert desk.house.jira.status(key) == ("Résolu", True)
    assert desk.issue(key).state == "closed"


def test_a_ticket_that_has_its_status_already_is_not_moved(desk: Desk) -> None:
    desk.sync()
    key = desk.file(**{FIELDS["reference"].id: ""})
    desk.jira().transition_issue(key, "21")
    before = len(desk.sandbox.journal.writes("jira"))
    desk.quiet()
    written = [entry.path for entry in desk.sandbox.journal.writes("jira")[before:]]
    assert written == [f"/rest/api/2/issue/{key}/comment"]


def test_a_note_is_seen_though_one_of_ours_goes_in_the_same_minute(desk: Desk) -> None:
    """GitLab stamps no issue for a note within a minute: the number of notes stays as it was."""
    desk.sync()
    key = desk.file()
    comment = desk.jira().add_comment(key, "une question")
    desk.quiet()
    comment.delete()
    desk.sync()
    desk.issue(key).notes.create({"body": "une note"})
    desk.quiet()
    assert len(desk.copies(key)) == 1


def test_drift_tells_of_an_issue_whose_ticket_no_ledger_knows(desk: Desk) -> None:
    key = desk.file()
    desk.quiet()
    with desk.sandbox.store.transaction(write=True) as records:
        ticket = records.find("jira.issue", key)
        assert ticket is not None
        records.delete("jira.issue", ticket["id"])
    desk.lose_ledger()
    desk.quiet()
    assert [what for what, _, _ in drifts(desk)] == ["orphan"]
