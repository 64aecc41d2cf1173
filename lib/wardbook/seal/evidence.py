"""What a receipt tells, part by part; none of it is a value of the data or a path."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from wardbook.seal.files import printable
from wardbook.seal.problems import SealProblem

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
        require_sha256(self.sha256)
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
        require_sha256(self.sha256)
        require_zone(self.moment)


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
        require_sha256(self.sha256)


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
        require_zone(self.at)


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
            require_sha256(digest)
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
        require_zone(self.started)
        require_zone(self.finished)


@dataclass(frozen=True)
class Previous:
    """The edition before this one: the run it came from, and the SHA-256 of its receipt."""

    run: str
    sha256: str

    def __post_init__(self) -> None:
        require_sha256(self.sha256)


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
            require_sha256(digest)


def require_zone(moment: datetime) -> None:
    """Refuse a moment that does not say its time zone.

    Raises:
        ValueError: it does not.
    """
    if moment.tzinfo is None:
        raise ValueError("a receipt's times have a time zone")


def require_sha256(digest: str) -> None:
    """Refuse what is no SHA-256 in lower-case hexadecimal.

    Raises:
        ValueError: it is not.
    """
    _require_digest(_SHA256, digest)


def _require_digest(form: re.Pattern[str], digest: str) -> None:
    if not form.fullmatch(digest):
        raise ValueError("a receipt's digests are lower-case hexadecimal")
