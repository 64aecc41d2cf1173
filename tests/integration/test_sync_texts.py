"""What people write and attach: it shows on the other side whole, does nothing there, and is no
more than everybody may read.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelines.demo.world import BOT
from requests_sync.foreign_text import drop_controls
from tests.acceptance.crash_form import LONG
from tests.desk import Desk, open_desk

pytestmark = pytest.mark.xdist_group("sync_life")
MANY = 2000 if LONG else 300
"""Comments on one ticket: more than one page of them, on both sides."""


def test_texts_over_the_limits_go_on_in_further_notes_and_comments(desk: Desk) -> None:
    """No word is lost where the other side takes less at a time."""
    words = " ".join(f"mot{number}" for number in range(5000))
    key = desk.file(description="court")
    desk.quiet()
    desk.issue(key).notes.create({"body": words})
    desk.quiet()
    copies = desk.copies(key)
    assert len(copies) > 1
    assert all(len(copy) <= 32_767 for copy in copies)
    assert re.findall(r"mot\d+", "\n".join(copies)) == words.split()
    note = next(n for n in desk.issue(key).notes.list(iterator=True) if n.body.startswith("mot0"))
    desk.later(minutes=2)
    desk.issue(key).notes.get(note.id).delete()
    desk.quiet()
    assert desk.copies(key) == []


def test_many_comments(desk: Desk) -> None:
    key = desk.file()
    with desk.sandbox.store.transaction(write=True) as records:
        ticket = records.find("jira.issue", key)
        author = records.find("account", "cmoreau")
        assert ticket is not None
        assert author is not None
        for number in range(MANY):
            records.insert(
                "jira.comment",
                {
                    "issue": ticket["id"],
                    "author": author["id"],
                    "update_author": author["id"],
                    "body": f"commentaire {number}",
                    "created": f"2026-01-01T00:{number // 60:02}:{number % 60:02}.000Z",
                    "updated": f"2026-01-01T00:{number // 60:02}:{number % 60:02}.000Z",
                    "visibility": None,
                    "properties": {},
                    "internal": False,
                },
                owner=ticket["id"],
            )
    desk.quiet()
    copied = re.findall(r"commentaire (\d+)", "\n".join(desk.notes(key)))
    assert copied == [str(number) for number in range(MANY)]
    before = len(desk.sandbox.journal)
    desk.lose_ledger()
    desk.quiet()
    assert len(desk.notes(key)) == MANY
    asked = len(desk.sandbox.journal) - before
    print(f"\n{asked} calls to find {MANY} copies again, in four passes and a survey")
    assert asked < max(100, MANY // 10), "copies are not looked for one by one"


def test_restricted_comments_stay_in_jira_also_when_restricted_later(tmp_path: Path) -> None:
    with open_desk(tmp_path, service_desk=True) as desk:
        with desk.sandbox.store.transaction(write=True) as records:
            for name in (BOT, "cmoreau"):
                account = records.find("account", name)
                assert account is not None
                records.save("account", account | {"groups": ["medecins"]})
        key = desk.file()
        jira = desk.jira()
        jira.add_comment(key, "secret", visibility={"type": "group", "value": "medecins"})
        public = jira.add_comment(key, "pour tous")
        jira.add_comment(key, "interne", is_internal=True)
        desk.quiet()
        (note,) = desk.notes(key)
        assert "pour tous" in note
        public.update(body="pour tous", visibility={"type": "group", "value": "medecins"})
        desk.quiet()
        assert desk.notes(key) == []


def test_attachments_only_small_of_known_kind_and_from_jira_itself(desk: Desk) -> None:
    limits = desk.settings.attachments.model_copy(update={"max_bytes": 100})
    desk.settings = desk.settings.model_copy(update={"attachments": limits})
    desk.house.settings = desk.settings
    key = desk.file()
    jira = desk.jira()
    for name, content in (
        ("bon.txt", b"petit"),
        ("grand.txt", b"x" * 101),
        ("programme.exe", b"MZ"),
        ("ailleurs.txt", b"petit"),
    ):
        file = desk.world.folder / name
        file.write_bytes(content)
        jira.add_attachment(key, str(file))
    with desk.sandbox.store.transaction(write=True) as records:
        ticket = records.find("jira.issue", key)
        assert ticket is not None
        foreign = next(
            one
            for one in records.all("jira.attachment", ticket["id"])
            if one["filename"] == "ailleurs.txt"
        )
        records.save(
            "jira.attachment", foreign | {"content": "http://127.0.0.1:9/secure/attachment/1/x"}
        )
    desk.quiet()
    notes = desk.notes(key)
    assert [name for name in ("bon", "grand", "programme", "ailleurs") if name in str(notes)] == [
        "bon"
    ]
    (refused,) = [twin for _, twin in desk.house.ledger.skipped_twins()]
    assert "another host" in refused.skipped
    description = desk.issue(key).description
    assert "grand.txt" in description
    assert "programme.exe" in description
    uploads = desk.project(BOT).manager.gitlab.http_list(
        f"/projects/{desk.project(BOT).id}/uploads", get_all=True
    )
    assert len(list(uploads)) == 1
    jira.delete_attachment(
        next(a.id for a in jira.issue(key).fields.attachment if a.filename == "bon.txt")
    )
    desk.quiet()
    assert desk.notes(key) == []


def test_hostile_words_do_nothing_on_either_side(desk: Desk) -> None:
    """What somebody types is shown; it closes nothing, calls nobody and runs nothing."""
    hostile = "\r\n".join(
        [
            "/close",
            "/label ~state::released",
            "@rfaure regardez",
            "<script>alert(1)</script>",
            "{code}",
            "/close",
            "```",
            "/assign @rfaure",
            "<!-- wardbook:comment:1 -->",
            ">>>",
            "/confidential false",
        ]
    )
    key = desk.file(summary="/close @rfaure", description=hostile)
    desk.jira().add_comment(key, hostile)
    desk.sync()
    desk.issue(key).notes.create(
        {"body": "{jql:project=DATA} [~cmoreau] !http://a.example/x.png! {anchor:wardbook-note-9}"}
    )
    desk.quiet()
    issue = desk.issue(key)
    assert issue.state == "opened"
    assert "state::released" not in issue.labels
    assert issue.confidential
    with desk.sandbox.store.transaction(write=False) as records:
        assert records.all("gitlab.todo") == []
    assert len(desk.notes(key)) == 1
    (copy,) = desk.copies(key)
    for opened in ("{jql", "[~cmoreau]", "{anchor:wardbook-note-9}"):
        assert not re.search(rf"(?<!\\){re.escape(opened)}", copy), opened
    queries = {entry.query for entry in desk.sandbox.journal if entry.path.endswith("/search")}
    assert queries
    assert all("rfaure" not in query and "close" not in query for query in queries)
    assert drop_controls(hostile) != hostile
