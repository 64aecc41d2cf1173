"""Keys, deliverables and hostile GnuPG homes for the seal's tests."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from wardbook.seal import (
    Approval,
    CheckEvidence,
    Fingerprint,
    Keyring,
    Origin,
    PolicyUsed,
    Previous,
    Receipt,
    Release,
    RunEvidence,
    SealedTo,
    Source,
    Subject,
    Use,
    write_crate,
    write_receipt,
)

MOMENT = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
SOME_SHA256 = hashlib.sha256(b"some").hexdigest()


class RawGpg:
    """gpg without our library, to make what our library must refuse. A GnuPG home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def run(
        self, *arguments: str, data: bytes = b"", at: datetime | None = None, fails: bool = False
    ) -> bytes:
        """Run gpg, at a faked time if given, and return what it wrote to standard output."""
        fixed = ["gpg", "--homedir", str(self.home), "--batch", "--yes", "--pinentry-mode"]
        fixed += ["loopback", "--passphrase", "", "--trust-model", "always", "--quiet"]
        if at is not None:
            fixed += ["--faked-system-time", f"{int(at.timestamp())}!"]
        done = subprocess.run([*fixed, *arguments], input=data, capture_output=True, check=False)
        assert fails or done.returncode == 0, done.stderr.decode(errors="replace")
        return done.stdout

    def make_key(
        self,
        user_id: str,
        *,
        algorithm: str = "ed25519",
        encryption: str | None = "cv25519",
        expires: str = "2y",
        at: datetime | None = None,
    ) -> Fingerprint:
        """Make a key, with an encryption subkey unless `encryption` is None."""
        self.run("--quick-generate-key", user_id, algorithm, "sign", expires, at=at)
        fingerprint = self.fingerprints(user_id)[-1]
        if encryption:
            self.run("--quick-add-key", fingerprint, encryption, "encr", expires, at=at)
        return fingerprint

    def fingerprints(self, user_id: str = "") -> list[Fingerprint]:
        """Return the primary fingerprints of the home's keys, oldest first."""
        listed = self.run("--with-colons", "--list-keys", *([f"={user_id}"] if user_id else []))
        lines = [line.split(":") for line in listed.decode(errors="replace").splitlines()]
        return [Fingerprint(after[9]) for line, after in pairwise(lines) if line[0] == "pub"]

    def subkeys(self, fingerprint: Fingerprint) -> list[Fingerprint]:
        """Return the fingerprints of the key's subkeys."""
        listed = self.run("--with-colons", "--list-keys", fingerprint).decode().splitlines()
        found = [line.split(":")[9] for line in listed if line.startswith("fpr")]
        return [Fingerprint(one) for one in found[1:]]

    def export(self, fingerprint: Fingerprint, *options: str) -> str:
        """Return the armoured public key."""
        return self.run("--armor", *options, "--export", fingerprint).decode()

    def revoke(self, fingerprint: Fingerprint) -> None:
        """Import the revocation certificate that gpg made with the key."""
        file = self.home / "openpgp-revocs.d" / f"{fingerprint}.rev"
        self.run("--import", data=file.read_bytes().replace(b":-----BEGIN", b"-----BEGIN"))

    def revoke_subkey(self, fingerprint: Fingerprint, number: int) -> None:
        """Revoke the subkey of that number (1 is the first)."""
        commands = f"key {number}\nrevkey\ny\n0\n\ny\nsave\n".encode()
        self.run(
            "--command-fd", "0", "--no-batch", "--no-tty", "--edit-key", fingerprint, data=commands
        )


@contextmanager
def raw_gpg() -> Iterator[RawGpg]:
    """Give a raw gpg with a short home path; its agent is ended and its home deleted."""
    home = Path(tempfile.mkdtemp(prefix="raw-"))
    try:
        yield RawGpg(home)
    finally:
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "gpg-agent"], check=True)
        shutil.rmtree(home, ignore_errors=True)


def processes_that_name(text: str) -> list[str]:
    """Return the command lines of running processes in which `text` occurs."""
    lines = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            lines.append(process.read_bytes().decode(errors="replace").replace("\0", " "))
    return [line for line in lines if text in line]


def agent_pid(home: Path) -> int:
    """Return the process id of the agent that serves this home."""
    command = ["gpg-connect-agent", "--homedir", str(home), "--no-autostart", "getinfo pid", "/bye"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return int(answer.split()[1])


def is_alive(pid: int) -> bool:
    """Return whether a process runs: one that ended and waits for its parent does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in ("Z", "X")


def make_receipt(
    files: Iterable[Subject],
    *,
    ticket: str = "STAT-7",
    sealed_to: tuple[SealedTo, ...] = (),
    run: str = "stat-7-00000000000000aa",
    previous: Previous | None = None,
) -> Receipt:
    """Return a receipt of these files with plausible evidence."""
    return Receipt.of(
        files,
        origin=Origin(
            ticket=ticket,
            request_url="https://gitlab.hospital.example/unit/requests/-/issues/7",
            period="2026-11",
            template="hospital_epidemic",
            template_version="1.4",
            template_sha256=SOME_SHA256,
            parameters_sha256=SOME_SHA256,
            commit="0" * 40,
            environment_sha256=SOME_SHA256,
            sources=(Source("flow", "spf", SOME_SHA256, MOMENT),),
        ),
        run=RunEvidence(
            key=run,
            executor="dask-local",
            builder="https://gitlab.hospital.example/unit",
            builder_version="0.1.0",
            started=MOMENT,
            finished=MOMENT,
            use=Use(1.5, 210),
            checks=(CheckEvidence("table", "counts", "pass", "counts_suffice", {"least": "11"}),),
            policy=PolicyUsed("fr-hospital", "1", SOME_SHA256),
            dropped=("scratch.bin",),
        ),
        release=Release(
            output="report",
            channel="site",
            language="fr",
            approvals=(Approval("d.approver", MOMENT, "review"),),
            sealed_to=sealed_to,
            previous=previous,
        ),
    )


def subjects(folder: Path) -> list[Subject]:
    """Return every file below the folder as a receipt names it, but for receipts."""
    return [
        Subject(
            path.relative_to(folder).as_posix(),
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_size,
        )
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith("receipt.json")
    ]


def make_deliverable(folder: Path, unit: Keyring, signer: Fingerprint, **told: Any) -> Path:
    """Make a small report with a table and a figure's folder, and sign its receipt."""
    (folder / "figures").mkdir(parents=True)
    (folder / "index.html").write_text(f"<h1>Hospitalisations</h1><p>{told.get('ticket')}</p>")
    (folder / "table.csv").write_text("day;hosp\n2026-11-20;12\n")
    (folder / "figures" / "curve.svg").write_text("<svg/>")
    crate = write_crate(make_receipt(subjects(folder), **told))
    (folder / "ro-crate-metadata.json").write_bytes(crate)
    write_receipt(make_receipt(subjects(folder), **told), folder, signer=signer, keyring=unit)
    return folder
