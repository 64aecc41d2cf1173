"""The audit log in the ledger: written with what it tells of, by one worker or by many."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from factories import NOON, make_ticket, take
from sqlalchemy import text

from wardbook.audit.account import Act, os_account
from wardbook.audit.check import find_flaws
from wardbook.audit.entry import Fact
from wardbook.domain.record import Approval, Intent, Outcome, Review, Work
from wardbook.domain.states import State
from wardbook.ledger import Ledger, open_ledger
from wardbook.ledger.ledger import StaleRecord


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    ledger = open_ledger(ledger_url)
    yield ledger
    ledger.close()


def told(ledger: Ledger) -> list[tuple[str, str, str]]:
    return [(one.request, one.actor, one.event) for one in ledger.audit_entries()]


def test_the_log_tells_who_did_what_to_which_request(ledger: Ledger) -> None:
    take(ledger, make_ticket())
    record = ledger.record("DATA-1")
    assert record is not None
    intent = Intent("data-1/1/comment", "jira.comment", {"text": "Mme Durand"})
    ledger.move(record, State.REFUSED, now=NOON, intents=[intent], detail={"reason": "Durand"})
    ledger.begin_effects([intent])
    done = Outcome(detail={"skipped": "Durand has left"})
    ledger.confirm_effects("DATA-1", [(intent, done)], NOON)
    entries = ledger.audit_entries("DATA-1")
    assert [(e.actor, e.event, e.told) for e in entries] == [
        ("requester", "ticket.received", {}),
        ("platform", "gate.refused", {"withheld": ["reason"]}),
        (
            *("platform", "effect.confirmed"),
            {"effect": "data-1/1/comment", "kind": "jira.comment", "skipped": True},
        ),
    ]
    assert list(find_flaws(ledger.audit_entries())) == []
    assert told(ledger)[0] == ("", "platform", "log.begun")


def test_approvals_are_told_when_seen_and_when_they_count(ledger: Ledger) -> None:
    take(ledger, make_ticket())
    approval = Approval("rfaure", "Renée Faure", "2026-03-02T12:00:00.000Z")
    ledger.take_review("DATA-1", Review(approvals=(approval,)), NOON)
    ledger.take_review("DATA-1", Review(approvals=(approval,), updated="later"), NOON)
    ledger.take_review("DATA-1", Review(), NOON)
    record = ledger.record("DATA-1")
    assert record is not None
    for state in (State.ACCEPTED, State.PREPARED, State.RUNNING, State.CHECKED, State.HELD):
        record = ledger.move(record, state, now=NOON)
    work = Work(run="data-1-abc", commit="f" * 40, released_by=(approval,), ground="review")
    ledger.move(record, State.RELEASED, now=NOON, actor="rfaure", work=work)
    seen = [e for e in ledger.audit_entries("DATA-1") if e.actor == "rfaure"]
    assert [e.event for e in seen] == ["approval.given", "approval.gone", "release.approved"]
    assert seen[2].told == {
        "run": "data-1-abc",
        "commit": "f" * 40,
        "ground": "review",
        "approvals": ["rfaure"],
    }


def test_what_was_not_done_is_not_told(ledger: Ledger) -> None:
    take(ledger, make_ticket())
    record = ledger.record("DATA-1")
    assert record is not None
    ledger.move(record, State.ACCEPTED, now=NOON)
    before = told(ledger)
    with pytest.raises(StaleRecord):
        ledger.move(record, State.REFUSED, now=NOON)
    bad = Intent("bad", "jira.comment", {"x": object()})
    fresh = ledger.record("DATA-1")
    assert fresh is not None
    with pytest.raises(Exception, match=r"(?i)serializable"):
        ledger.move(fresh, State.PREPARED, now=NOON, intents=[bad])
    assert told(ledger) == before
    ledger.move(fresh, State.PREPARED, now=NOON)
    assert told(ledger) == [*before, ("DATA-1", "platform", "request.prepared")]


def test_a_command_is_told_once_it_changes_something(ledger: Ledger) -> None:
    ledger.act = Act.of("tick")
    ledger.set_mark("nothing", "of note")
    assert told(ledger) == []
    take(ledger, make_ticket())
    take(ledger, make_ticket(key="DATA-2"))
    assert [one.event for one in ledger.audit_entries()] == [
        *("log.begun", "command.run", "ticket.received", "ticket.received"),
    ]
    assert ledger.audit_entries()[1].actor == os_account()
    assert ledger.audit_entries()[1].told["command"] == "tick"


def test_the_account_is_not_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    account = os_account()
    monkeypatch.setenv("LOGNAME", "somebody.else")
    monkeypatch.setenv("USER", "somebody.else")
    assert os_account() == account


def _note_many(url: str, worker: int, ready: multiprocessing.synchronize.Barrier) -> None:
    ledger = open_ledger(url)

    def note(thread: int) -> None:
        for number in range(10):
            fact = Fact("now", f"worker-{worker}", "test.noted", f"DATA-{thread}{number}")
            ledger.note_fact(fact)
            take(ledger, make_ticket(key=f"DATA-{worker}{thread}{number}"))

    ready.wait(60)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(note, range(3)))
    ledger.close()


def test_many_workers_make_one_chain_without_forks_or_gaps(ledger_url: str) -> None:
    open_ledger(ledger_url).close()
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Barrier(3)
    workers = [spawn.Process(target=_note_many, args=(ledger_url, n, ready)) for n in (1, 2, 3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
        assert worker.exitcode == 0
    ledger = open_ledger(ledger_url)
    entries = ledger.audit_entries()
    assert list(find_flaws(entries)) == []
    assert len(entries) == 1 + 3 * 3 * 10 * 2
    assert len({e.actor for e in entries if e.event == "test.noted"}) == 3
    ledger.close()


def test_the_look_for_forks_finds_one(ledger: Ledger) -> None:
    """The workers' test would be worth nothing if a fork went unseen."""
    for number in range(5):
        ledger.note_fact(Fact("now", "x", "test.noted", f"DATA-{number}"))
    with ledger._writing() as connection:
        connection.execute(
            text(
                "update audit set previous = (select previous from audit where sequence = 3) "
                "where sequence = 4"
            )
        )
    assert {finding.place for finding in find_flaws(ledger.audit_entries())} == {4}
