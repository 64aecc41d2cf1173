"""The ledger on SQLite and on PostgreSQL: one suite for both."""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from factories import NOON, make_request, make_ticket, take

from wardbook.domain.mirror import Thread
from wardbook.domain.record import Intent, Outcome
from wardbook.domain.states import ForbiddenMove, State
from wardbook.domain.ticket import Person
from wardbook.errors import ForeignFault
from wardbook.ledger import Ledger, open_ledger
from wardbook.ledger.database import HEAD
from wardbook.ledger.ledger import StaleRecord
from wardbook.ledger.rows import TakenTicket

LATER = "2026-03-02T12:30:00.000+0000"
PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    ledger = open_ledger(ledger_url)
    yield ledger
    ledger.close()


def received(ledger: Ledger, key: str = "DATA-1") -> None:
    take(ledger, make_ticket(key=key))


def test_a_ticket_is_new_once_and_then_updated(ledger: Ledger) -> None:
    assert take(ledger, make_ticket())
    assert not take(ledger, make_ticket(summary="é → ü", updated=LATER))
    record = ledger.record("DATA-1")
    assert record is not None
    assert record.ticket.summary == "é → ü"
    assert record.asked == record.ticket.fingerprint != record.gated


def test_a_key_that_names_another_tickets_request_is_left_out(ledger: Ledger) -> None:
    take(ledger, make_ticket())
    namesake, other = make_ticket(id="20001", summary="autre"), make_ticket(key="DATA-2")
    taken = [TakenTicket(one, Thread(), known_before=False) for one in (namesake, other)]
    assert ledger.take_tickets(taken, census=1, now=NOON) == {"DATA-1"}
    assert [record.ticket for record in ledger.records()] == [make_ticket(), other]
    assert [event.event for event in ledger.events("DATA-1")] == ["ticket.received"]


def test_a_move_writes_state_intents_and_event_together(ledger: Ledger) -> None:
    received(ledger)
    record = ledger.record("DATA-1")
    assert record is not None
    intent = Intent("DATA-1/1/comment", "jira.comment", {"text": "bonjour"})
    ledger.move(record, State.REFUSED, now=NOON, intents=[intent], gated=record.asked)
    assert ledger.open_intents("DATA-1") == [intent]
    assert [event.event for event in ledger.events("DATA-1")] == ["ticket.received", "gate.refused"]


def test_a_move_that_fails_writes_nothing(ledger: Ledger) -> None:
    received(ledger)
    record = ledger.record("DATA-1")
    assert record is not None
    intents = [Intent("good", "jira.comment", {}), Intent("bad", "jira.comment", {"x": object()})]
    with pytest.raises(Exception, match=r"(?i)serializable"):
        ledger.move(record, State.REFUSED, now=NOON, intents=intents)
    after = ledger.record("DATA-1")
    assert after == record
    assert ledger.open_intents("DATA-1") == []
    assert len(ledger.events("DATA-1")) == 1


def test_what_happens_again_gets_a_number(ledger: Ledger) -> None:
    received(ledger)
    record = ledger.record("DATA-1")
    assert record is not None
    again = [Intent("a_b", "jira.comment", {}), Intent("a_b", "jira.comment", {})]
    like_it = Intent("axb", "jira.comment", {})
    ledger.move(record, State.REFUSED, now=NOON, intents=[*again, like_it])
    keys = [intent.key for intent in ledger.open_intents("DATA-1")]
    assert keys == ["a_b", "a_b~2", "axb"]


def test_a_move_from_a_stale_record_is_refused(ledger: Ledger) -> None:
    received(ledger)
    record = ledger.record("DATA-1")
    assert record is not None
    ledger.move(record, State.ACCEPTED, now=NOON)
    with pytest.raises(StaleRecord):
        ledger.move(record, State.REFUSED, now=NOON)


def test_a_move_outside_the_table_is_refused(ledger: Ledger) -> None:
    received(ledger)
    record = ledger.record("DATA-1")
    assert record is not None
    with pytest.raises(ForbiddenMove):
        ledger.move(record, State.DELIVERED, now=NOON)


def test_a_confirmed_effect_is_open_no_more_and_fills_the_links(ledger: Ledger) -> None:
    received(ledger)
    record = ledger.record("DATA-1")
    assert record is not None
    intent = Intent("DATA-1/1/issue", "gitlab.issue", {})
    ledger.move(record, State.ACCEPTED, now=NOON, intents=[intent])
    ledger.begin_effects([intent])
    assert ledger.open_intents("DATA-1")[0].attempts == 1
    assert ledger.due_keys(NOON) == ["DATA-1"]
    ledger.confirm_effects("DATA-1", [(intent, Outcome({"issue": 7}, {"iid": 7}))], NOON)
    assert ledger.open_intents("DATA-1") == []
    after = ledger.record("DATA-1")
    assert after is not None
    assert after.links.issue == 7


def test_due_are_the_moving_the_changed_and_the_unconfirmed(ledger: Ledger) -> None:
    for number in (1, 2, 3):
        received(ledger, f"DATA-{number}")
    for number in (1, 2, 3):
        record = ledger.record(f"DATA-{number}")
        assert record is not None
        ledger.move(record, State.REFUSED, now=NOON, gated=record.asked, compared=record.version)
    assert ledger.due_keys(NOON) == []
    take(ledger, make_ticket(key="DATA-2", parameters="start = 2020-05-01", updated=LATER))
    assert ledger.due_keys(NOON) == ["DATA-2"]


def test_only_one_worker_holds_a_claim(ledger: Ledger, ledger_url: str) -> None:
    other = open_ledger(ledger_url)
    with ledger.claim("DATA-1") as mine, other.claim("DATA-1") as theirs:
        assert mine
        assert not theirs
        with other.claim("DATA-2") as another:
            assert another
    with other.claim("DATA-1") as freed:
        assert freed
    other.close()


def _hold_claim(url: str, ready: multiprocessing.synchronize.Event) -> None:
    with open_ledger(url).claim("DATA-1") as mine:
        assert mine
        ready.set()
        signal.pause()


def test_a_claim_dies_with_its_holder(ledger: Ledger, ledger_url: str) -> None:
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Event()
    holder = spawn.Process(target=_hold_claim, args=(ledger_url, ready))
    holder.start()
    assert ready.wait(60)
    with ledger.claim("DATA-1") as mine:
        assert not mine
    assert holder.pid is not None
    os.kill(holder.pid, signal.SIGKILL)
    holder.join()
    # PostgreSQL notices the closed socket by itself, without our waiting for a time-out.
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(_claim_soon, ledger).result(timeout=60)


def _claim_soon(ledger: Ledger) -> bool:
    while True:
        with ledger.claim("DATA-1") as mine:
            if mine:
                return True


def _take_many(url: str, worker: int) -> None:
    ledger = open_ledger(url)
    for number in range(20):
        take(ledger, make_ticket(key=f"DATA-{worker}{number:02}"))
    ledger.close()


def test_workers_that_write_at_once_lose_nothing(ledger_url: str) -> None:
    """Also the first opening, which makes the tables, happens in all of them at once."""
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=_take_many, args=(ledger_url, n)) for n in (1, 2, 3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
        assert worker.exitcode == 0
    ledger = open_ledger(ledger_url)
    assert len(ledger.records()) == 60
    ledger.close()


def _take_the_same(url: str, ready: multiprocessing.synchronize.Barrier) -> None:
    ledger = open_ledger(url)
    ready.wait(60)
    for number in range(20):
        take(ledger, make_ticket(key=f"DATA-{number}"))
        ledger.set_mark(f"mark {number}", "x")
        ledger.bury_ticket(f"LOST-{number}", "no summary", NOON)
    ledger.close()


def test_workers_that_read_the_same_at_once_write_it_down_once(ledger_url: str) -> None:
    """Two passes see a new ticket at the same moment: neither fails, and it is received once."""
    open_ledger(ledger_url).close()
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Barrier(3)
    workers = [spawn.Process(target=_take_the_same, args=(ledger_url, ready)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    ledger = open_ledger(ledger_url)
    assert len(ledger.records()) == 20
    assert all(len(ledger.events(f"DATA-{number}")) == 1 for number in range(20))
    assert {letter.attempts for letter in ledger.dead_letters()} == {3}
    ledger.close()


def test_dead_letters_are_counted_and_revived(ledger: Ledger) -> None:
    ledger.bury_ticket("DATA-9", "no summary", NOON)
    ledger.bury_ticket("DATA-9", "no summary", NOON)
    assert [(letter.ticket_key, letter.attempts) for letter in ledger.dead_letters()] == [
        ("DATA-9", 2)
    ]
    ledger.revive_tickets(["DATA-9"])
    assert ledger.dead_letters() == []


def test_the_migrations_make_the_tables_of_the_schema(ledger_url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    from wardbook.ledger import database, schema

    engine = database.connect(ledger_url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
        connection.rollback()
    folder = Path(database.__file__).parent / "migrations"
    assert ScriptDirectory(str(folder)).get_current_head() == HEAD
    engine.dispose()


def test_a_ledger_of_the_first_version_keeps_its_requests(ledger_url: str) -> None:
    """There an approver was the name of an account."""
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine, text

    from wardbook.ledger import database

    config = Config()
    folder = Path(database.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    request = dataclasses.asdict(make_request())
    ticket = dataclasses.asdict(make_ticket())
    other = dataclasses.asdict(make_ticket(key="DATA-2"))
    for asked in (request, ticket, other):
        for later in ("ethics", "dpo", "every", "recurrence"):
            asked.pop(later, None)
        asked["approver"] = "hbernard"
    engine = create_engine(ledger_url.replace("postgresql://", "postgresql+psycopg://"))
    row = text(
        "insert into requests values "
        "(:key, 'answered', 1, 0, :ticket, 'a', 'a', :request, '{}', '{}', '{}', '2026-03-02')"
    )
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for key, its, one in (("DATA-1", ticket, request), ("DATA-2", other, None)):
            values = {"key": key, "ticket": json.dumps(its), "request": json.dumps(one)}
            connection.execute(row, values)
    engine.dispose()
    ledger = open_ledger(ledger_url)
    first, second = ledger.record("DATA-1"), ledger.record("DATA-2")
    assert first is not None
    assert second is not None
    account = Person("hbernard", "hbernard")
    assert first.request == make_request(approver=account)
    assert first.ticket == make_ticket(approver=account)
    assert second.ticket == make_ticket(key="DATA-2", approver=account)
    assert second.request is None
    assert (first.warned, ledger.due_keys(NOON)) == ("", [])
    ledger.close()


def test_one_at_rest_wakes_at_the_moment_that_its_last_move_named(ledger: Ledger) -> None:
    received(ledger)
    record = ledger.record("DATA-1")
    assert record is not None
    settled = {"gated": record.asked, "compared": record.version}
    refused = ledger.move(record, State.REFUSED, now=NOON, due_at=NOON.astimezone(PARIS), **settled)
    second = timedelta(seconds=1)
    assert ledger.due_keys(NOON - second) == []
    assert ledger.due_keys(NOON) == ["DATA-1"]
    assert ledger.due_keys((NOON + second).astimezone(PARIS)) == ["DATA-1"]
    again = ledger.move(refused, State.RECEIVED, now=NOON)
    ledger.move(again, State.REFUSED, now=NOON)
    assert ledger.due_keys(NOON + second) == [], "the wish was that of the move before"


def test_a_ledger_that_cannot_be_reached_says_so_without_its_password() -> None:
    with pytest.raises(ForeignFault, match="cannot be opened") as caught:
        open_ledger("postgresql://unit:s3cret@127.0.0.1:1/ledger")
    assert "s3cret" not in str(caught.value)
