"""What has come of a ticket, everywhere, in a form that two tickets can be compared in."""

from __future__ import annotations

import hashlib
import re
import sqlite3
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.demo.world import BOT, PROJECTS
from tests.acceptance.crash_world import CrashWorld
from wardbook import seal
from wardbook.pages.address import slug_of
from wardbook.seal.sealing import open_sealed

Survey = dict[str, Any]


def survey(world: CrashWorld, key: str) -> Survey:
    """Read all that exists of a request; stamps, numbers and digests are made alike."""
    seen = {
        "jira": _survey_jira(world, key),
        "gitlab": _survey_gitlab(world, key),
        "ledger": _survey_ledger(world, key),
        "site": _survey_site(world, key),
        "share": _survey_share(world, key),
    }
    return _make_alike(seen, world, key)


def strays(world: CrashWorld) -> list[str]:
    """Return what a crash left lying about among the deliverables, and in what leads to them."""
    folder = world.folder
    found = [
        *(folder / "state" / "staging").glob("*"),
        *(folder / "state" / "runs").glob("*/scratch"),
        *(folder / "public" / "reports").rglob(".*"),
        *(folder / "share").rglob(".*"),
    ]
    return sorted(file.relative_to(folder).as_posix() for file in found)


def _survey_jira(world: CrashWorld, key: str) -> Survey:
    issue = world.jira(f"issue/{key}?expand=changelog")
    moves = [
        (item["fromString"], item["toString"])
        for history in issue["changelog"]["histories"]
        for item in history["items"]
        if item["field"] == "status"
    ]
    links = world.jira(f"issue/{key}/remotelink")
    return {
        "status": issue["fields"]["status"]["name"],
        "resolution": (issue["fields"].get("resolution") or {}).get("name"),
        "moves": moves,
        "comments": [comment["body"] for comment in world.jira(f"issue/{key}/comment")["comments"]],
        "links": sorted(
            (link["globalId"], link["object"]["url"], link["object"]["title"]) for link in links
        ),
    }


def _survey_gitlab(world: CrashWorld, key: str) -> Survey:
    found: Survey = {"issues": [], "merge_requests": [], "branches": []}
    for project in PROJECTS.values():
        mark = f"wardbook:request:{key} "
        for issue in world.gitlab(project, f"issues?state=all&search={mark.strip()}"):
            if mark in issue["description"]:
                found["issues"].append(_survey_issue(world, project, issue))
        query = f"state=all&scope=all&source_branch=request/{key}"
        for request in world.gitlab(project, f"merge_requests?{query}"):
            found["merge_requests"].append(_survey_merge_request(world, project, request))
        for branch in world.gitlab(project, f"repository/branches?search={key}"):
            name = branch["name"]
            if key in name.split("/"):
                compared = world.gitlab(project, f"repository/compare?from=main&to={name}")
                titles = [commit["title"] for commit in compared["commits"]]
                found["branches"].append((name, titles))
    return found


def _survey_issue(world: CrashWorld, project: str, issue: Any) -> Survey:
    return {
        "title": issue["title"],
        "labels": sorted(issue["labels"]),
        "state": issue["state"],
        "confidential": issue["confidential"],
        "notes": _our_notes(world.gitlab(project, f"issues/{issue['iid']}/notes")),
    }


def _survey_merge_request(world: CrashWorld, project: str, request: Any) -> Survey:
    path = f"merge_requests/{request['iid']}"
    approvals = world.gitlab(project, f"{path}/approvals")["approved_by"]
    return {
        "title": request["title"],
        "state": request["state"],
        "notes": _our_notes(world.gitlab(project, f"{path}/notes")),
        "approved": [one["user"]["username"] for one in approvals],
    }


def _our_notes(notes: list[Any]) -> list[str]:
    return [
        note["body"] for note in notes if note["author"]["username"] == BOT and not note["system"]
    ]


def _survey_ledger(world: CrashWorld, key: str) -> Survey:
    with closing(sqlite3.connect(world.folder / "state" / "ledger.db")) as ledger:
        state = ledger.execute("select state from requests where key = ?", (key,)).fetchone()
        effects = ledger.execute(
            "select key, done_at is not null, outcome like '%skipped%' from effects "
            "where request_key = ? order by number",
            (key,),
        ).fetchall()
        events = ledger.execute(
            "select actor, event from events where request_key = ? order by number", (key,)
        ).fetchall()
    return {"state": state, "effects": effects, "events": events}


def _survey_site(world: CrashWorld, key: str) -> Survey:
    return {
        "editions": [
            {
                "files": sorted(
                    file.relative_to(edition).as_posix()
                    for file in edition.rglob("*")
                    if file.is_file()
                ),
                "tables": {file.name: _digest(file) for file in edition.glob("tables/*")},
                "verified": _verify(world, edition).ticket,
            }
            for edition in sorted((world.folder / "public/reports" / slug_of(key)).glob("*"))
            if edition.is_dir()  # beside them stands the page that lists them
        ]
    }


def _survey_share(world: CrashWorld, key: str) -> Survey:
    return {
        "editions": [
            {
                "files": sorted(file.name for file in edition.iterdir()),
                "sealed": [
                    (_verify(world, file).output, _open(world, file))
                    for file in sorted(edition.glob("*.gpg"))
                ],
            }
            for edition in sorted((world.folder / "share" / slug_of(key)).glob("*"))
        ]
    }


def _verify(world: CrashWorld, target: Path) -> seal.Verification:
    """Verify a deliverable as `wardbook verify` does: raises when a byte is not as signed."""
    signer = seal.Fingerprint(world.signer)
    with seal.Keyring(world.folder / "state" / "gnupg") as unit:
        public_key = unit.export_public(signer)
    return seal.verify(target, public_key=public_key, fingerprint=signer, now=datetime.now(UTC))


def _open(world: CrashWorld, file: Path) -> str:
    """Open a sealed file as its requester does; return the digest of what is in it."""
    signer = seal.Fingerprint(world.signer)
    with (
        seal.Keyring(world.folder / "state" / "gnupg") as unit,
        seal.Keyring(world.folder / "people" / "yhaddad") as requester,
        tempfile.TemporaryDirectory() as folder,
    ):
        requester.import_key(unit.export_public(signer))
        opened = Path(folder) / "opened"
        open_sealed(file, opened, requester, signer)
        return _digest(opened)


def _digest(file: Path) -> str:
    return "sha256 " + hashlib.sha256(file.read_bytes()).hexdigest()


def _make_alike(value: Any, world: CrashWorld, key: str) -> Any:
    if isinstance(value, str):
        return _blank(value, world, key)
    if isinstance(value, dict):
        return {_make_alike(k, world, key): _make_alike(v, world, key) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_make_alike(one, world, key) for one in value]
    return value


def _blank(text: str, world: CrashWorld, key: str) -> str:
    """Take out of a text what differs between two requests that ask for the same."""
    if text.startswith("sha256 "):
        return text
    text = re.sub(rf"\b{key}\b", "KEY", text, flags=re.IGNORECASE)
    text = text.replace(str(world.folder), "FOLDER")
    text = re.sub(r"\bdemo-\d+-", "demo-N-", text)  # the round, in the ticket's label
    text = re.sub(r"127\.0\.0\.1:\d+", "HOST", text)
    text = re.sub(r"\b(issues|merge_requests)/\d+", r"\1/N", text)
    text = re.sub(r"\b[0-9A-F]{4}(.[0-9A-F]{4}){3}\b", "KEY-ID", text)  # each world has own keys
    return re.sub(r"\b(?=[0-9a-f]*\d)[0-9a-f]{12,64}\b", "DIGEST", text)
