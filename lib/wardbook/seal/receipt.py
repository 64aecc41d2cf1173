"""The receipt: a signed in-toto statement that ties a deliverable to all that it comes from."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from wardbook.seal.files import printable, write_whole
from wardbook.seal.fingerprint import Fingerprint
from wardbook.seal.keys import Keyring
from wardbook.seal.problems import SealProblem
from wardbook.seal.public_home import PublicHome
from wardbook.seal.signature import check_detached, sign_detached
from wardbook.seal.statement import read_statement, write_statement

Verdict = Literal["pass", "hold", "refuse"]

_SHA256 = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True)
class Subject:
    """A delivered file: its name, relative to the receipt with `/`, its SHA-256, its octets.

    A name is in Unicode's composed form and has neither quotes nor backslashes, so that it reads
    the same on every file system and stands in JSON as it is: plain tools find it there.

    Raises:
        SealProblem: the name would lead out of the deliverable's folder, or is not such a name
            (`name_unsafe`).
    """

    name: str
    sha256: str
    size: int

    def __post_init__(self) -> None:
        plain = self.name.isprintable() and not {"\\", '"'} & set(self.name)
        composed = unicodedata.is_normalized("NFC", self.name)
        if not plain or not composed or {"", ".", ".."} & set(self.name.split("/")):
            raise SealProblem("name_unsafe", file=printable(self.name))
        _require_digest(_SHA256, self.sha256)
        if self.size < 0:
            raise ValueError("a file's size is at least 0")


@dataclass(frozen=True)
class Source:
    """A data source as it was read: the template's name for it, and which version that was.

    `source` is what the unit calls it; `moment` is when that version was written, by the file's own
    account. Where the file stood is not told.
    """

    name: str
    source: str
    sha256: str
    moment: datetime

    def __post_init__(self) -> None:
        _require_digest(_SHA256, self.sha256)
        _require_zone(self.moment)


@dataclass(frozen=True)
class CheckEvidence:
    """What a rule said of an output, why, and the thresholds it went by; no data values."""

    output: str
    rule: str
    verdict: Verdict
    reason: str
    thresholds: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PolicyUsed:
    """The disclosure policy that the checks applied: the SHA-256 is that of its file."""

    name: str
    version: str
    sha256: str

    def __post_init__(self) -> None:
        _require_digest(_SHA256, self.sha256)


@dataclass(frozen=True)
class Use:
    """What the run used of the machine: processor seconds, greatest resident megabytes."""

    cpu_seconds: float
    peak_mb: int


@dataclass(frozen=True)
class Approval:
    """Who let the output out, when, and on what ground (a review, a standing approval)."""

    by: str
    at: datetime
    ground: str

    def __post_init__(self) -> None:
        _require_zone(self.at)


@dataclass(frozen=True)
class SealedTo:
    """A person's key to which the output was encrypted."""

    fingerprint: str
    encryption_key: str


@dataclass(frozen=True)
class Origin:
    """What was asked and with what it was answered.

    Parameters appear as a digest alone: their values may say whom a request is about. `period` is
    that of a recurring request, "" for what runs once; the digests are those of the run, not of the
    day of delivery.
    """

    ticket: str
    request_url: str
    period: str
    template: str
    template_version: str
    template_sha256: str
    parameters_sha256: str
    commit: str
    environment_sha256: str
    sources: tuple[Source, ...]

    def __post_init__(self) -> None:
        for digest in (self.template_sha256, self.parameters_sha256, self.environment_sha256):
            _require_digest(_SHA256, digest)
        _require_digest(_COMMIT, self.commit)


@dataclass(frozen=True)
class RunEvidence:
    """The run: its key, where it ran and when, what it used, what was checked, what was dropped.

    `builder` is the address of the unit's platform, `dropped` names the files that the run made and
    its template does not declare. `use` is None where nobody was left to tell, `policy` where the
    checks went by none.
    """

    key: str
    executor: str
    builder: str
    builder_version: str
    started: datetime
    finished: datetime
    use: Use | None
    checks: tuple[CheckEvidence, ...]
    policy: PolicyUsed | None = None
    dropped: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _require_zone(self.started)
        _require_zone(self.finished)


@dataclass(frozen=True)
class Previous:
    """The edition before this one: the run it came from, and the SHA-256 of its receipt."""

    run: str
    sha256: str

    def __post_init__(self) -> None:
        _require_digest(_SHA256, self.sha256)


@dataclass(frozen=True)
class Release:
    """Which output left, on which channel, in which language, who let it and to whom it is sealed.

    `sealed_to` is empty for a public output, `previous` None for the first edition. `replaces` has
    the SHA-256 of each receipt that this one took the place of, the oldest first: a file that was
    sealed again for another key is the same edition, and later ones still name its first receipt.
    """

    output: str
    channel: str
    language: str
    approvals: tuple[Approval, ...]
    sealed_to: tuple[SealedTo, ...] = ()
    previous: Previous | None = None
    replaces: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for digest in self.replaces:
            _require_digest(_SHA256, digest)


@dataclass(frozen=True)
class Receipt:
    """The delivered files and all that they come from; build it with `Receipt.of`."""

    subjects: tuple[Subject, ...]
    origin: Origin
    run: RunEvidence
    release: Release

    def __post_init__(self) -> None:
        names = [subject.name for subject in self.subjects]
        if not names or names != sorted(set(names)):
            raise ValueError("a receipt names at least one file, each once, in order")
        if len({name.casefold() for name in names}) < len(names):
            raise ValueError("a receipt's names differ by more than capitals: not all disks do")

    @classmethod
    def of(
        cls, files: Iterable[Subject], *, origin: Origin, run: RunEvidence, release: Release
    ) -> Receipt:
        """Return the receipt of these files, in whatever order they come.

        Args:
            files: every delivered file, named relative to the receipt's folder.
            origin: what was asked.
            run: how it was computed and checked.
            release: how it left.

        Raises:
            ValueError: there is no file, or two have the same name but for capitals.
        """
        subjects = tuple(sorted(files, key=lambda subject: subject.name))
        return cls(subjects, origin, run, release)

    @property
    def edition(self) -> str:
        """The name of this edition: the digest that ends the run's key."""
        return self.run.key.rpartition("-")[2]

    @property
    def sha256(self) -> str:
        """The digest of the receipt as it stands on disk."""
        return hashlib.sha256(self.to_json()).hexdigest()

    def sealed_again(self, file: Subject, sealed_to: tuple[SealedTo, ...]) -> Receipt:
        """Return the receipt of the same edition, its file sealed to other keys."""
        replaces = (*self.release.replaces, self.sha256)
        release = replace(self.release, sealed_to=sealed_to, replaces=replaces)
        return replace(self, subjects=(file,), release=release)

    def to_json(self) -> bytes:
        """Return the statement as canonical JSON: sorted keys, no spaces, UTF-8."""
        text = json.dumps(
            write_statement(self), sort_keys=True, ensure_ascii=False, separators=(",", ":")
        )
        return text.encode()

    @classmethod
    def from_json(cls, raw: bytes) -> Receipt:
        """Parse what `to_json` wrote, to the byte.

        Raises:
            SealProblem: something is missing, unknown, twice there or in another form
                (`receipt_malformed`), or a file's name is unsafe (`name_unsafe`).
        """
        from pydantic import TypeAdapter

        try:
            tree = json.dumps(read_statement(json.loads(raw)))
            receipt = TypeAdapter(cls).validate_json(tree)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise SealProblem("receipt_malformed") from None
        if receipt.to_json() != raw:
            raise SealProblem("receipt_malformed")
        return receipt


def write_receipt(
    receipt: Receipt,
    directory: Path,
    *,
    signer: Fingerprint,
    keyring: Keyring,
    stem: str = "receipt",
) -> Path:
    """Write `STEM.json` and its detached signature `STEM.json.asc`, and return the first.

    The signature is verified as `verify` does it before anything is written, and appears first, so
    that whoever sees the receipt can check it.

    Args:
        receipt: what to sign.
        directory: the deliverable's folder, or the folder of a sealed file.
        signer: the unit's key, whose secret part `keyring` holds.
        keyring: the unit's keys.
        stem: `receipt` for a folder; `NAME.gpg.receipt` for the sealed file `NAME.gpg`.

    Raises:
        SealProblem: `key_unknown`, or the key cannot sign (`signer_unusable`).
    """
    data = receipt.to_json()
    Receipt.from_json(data)
    armoured = sign_detached(data, signer, keyring)
    with PublicHome() as home:
        home.add(keyring.export_public(signer))
        check_detached(home, data, armoured, signer)
    path = directory / f"{stem}.json"
    for file, content in ((path.with_name(f"{path.name}.asc"), armoured), (path, data)):
        with write_whole(file) as whole:
            whole.write(content)
    return path


def _require_zone(moment: datetime) -> None:
    if moment.tzinfo is None:
        raise ValueError("a receipt's times have a time zone")


def _require_digest(form: re.Pattern[str], digest: str) -> None:
    if not form.fullmatch(digest):
        raise ValueError("a receipt's digests are lower-case hexadecimal")
