"""The heads of the audit log: signed by the unit, and copied to where the ledger's owner cannot."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pipelines.house import House
from wardbook.audit.check import find_flaws, log_of
from wardbook.audit.head import Head, keep_head, read_heads, sign_head
from wardbook.errors import Fault

if TYPE_CHECKING:
    from wardbook.seal import Fingerprint

_MARK = "audit.sealed"


def seal_log_when_due(house: House) -> Head | None:
    """Sign and copy the head, unless it was done lately or nothing was written since."""
    settings = house.settings.audit
    if not settings.is_wanted:
        return None
    digest, _, at = (house.ledger.mark(_MARK) or "").partition("@")
    if at and house.now() - datetime.fromisoformat(at) < timedelta(hours=settings.every_hours):
        return None
    entry = house.ledger.audit_head()
    return None if entry is None or entry.digest == digest else seal_log(house)


def seal_log(house: House) -> Head:
    """Verify the log, then sign its head and copy it to the folder and the project of the settings.

    Raises:
        Fault: the log is not as it was written, or nowhere is named to copy to: nothing is signed.
        SealRefusal: the unit's key cannot sign.
        ForeignFault: GitLab did not take it.
    """
    from wardbook.seal import Fingerprint

    settings, signer = house.settings.audit, Fingerprint(house.settings.seal.signer)
    if not settings.is_wanted:
        raise Fault("Nowhere is named to copy heads to. Set `heads` or `project` under [audit].")
    entries = house.ledger.audit_entries()
    if not entries:
        raise Fault("The audit log has no entry yet.")
    known = _known_heads(house, signer)
    flaw = next(find_flaws(entries, known), None)
    if flaw is not None:
        raise Fault(
            f"The audit log is not as it was written ({flaw}), so its head is not signed. See "
            "`wardbook audit verify`, keep the database as it is, and tell who answers for it."
        )
    now, last = house.now(), entries[-1]
    files = sign_head(last, log_of(entries[0]), now, signer=signer, keyring=house.keyring)
    if settings.heads is not None:
        keep_head(settings.heads, files)
    if settings.project:
        _commit(house, files)
    house.ledger.set_mark(_MARK, f"{last.digest}@{now.isoformat()}")
    return Head.from_bytes(files[min(files)])  # beside its signature NAME.asc


def _known_heads(house: House, signer: Fingerprint) -> list[Head]:
    """Return the heads of the folder: what is signed next must go on from them."""
    folder = house.settings.audit.heads
    if folder is None or not any(folder.glob("*.json")):
        return []
    return read_heads(folder, house.keyring.export_public(signer), signer)


def _commit(house: House, files: dict[str, bytes]) -> None:
    project, branch = house.settings.audit.project, house.settings.gitlab.branch
    at = house.gitlab.branch_head(project, branch)
    if at is None:
        raise Fault(f"{project} has no branch {branch} to commit heads of the audit log to.")
    missing = {
        name: data for name, data in files.items() if house.gitlab.file(project, name, at) is None
    }
    if missing:
        house.gitlab.commit(
            project,
            branch=branch,
            start_branch=None,
            message=f"Keep the audit log's head {min(files).partition('-')[2][:12]}",
            actions=[
                {"action": "create", "file_path": name, "content": data.decode("ascii")}
                for name, data in sorted(missing.items())
            ],
        )
