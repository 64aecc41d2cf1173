"""What leaves: rules, review, channels, keys; and what is kept of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import (
    Field,
    SecretStr,
)

from wardbook.settings.section import Days, Digest, Fingerprint, Section, Url


class DisclosureSettings(Section):
    """By which rules outputs are judged; `policies` is the unit's own folder of policies."""

    policy: str = "fr-hospital"
    policies: Path | None = None


class ReviewSettings(Section):
    """How outputs are reviewed: how reviewers see the runs' folders, and what is told ahead."""

    evidence_url: Annotated[str, Field(pattern=r"^(https?|file)://[^\s<>\"]+$")] | None = None
    notice_days: Annotated[int, Field(ge=0)] = 30


class StandingApproval(Section):
    """An approval of a recurring report as it is: unchanged, its checks passed, until a day.

    `wardbook approvals --grant KEY` writes it. The four digests are those of what may not change:
    see `wardbook.review.standing`.
    """

    reviewers: Annotated[tuple[str, ...], Field(min_length=1)]
    until: date
    revoked: bool = False
    shape: Digest
    code: Digest
    policy: Digest
    parameters: Digest


class SiteSettings(Section):
    """The static site: its folder, the address at which readers see it, how large a report may be.

    `public_url` is where the part for everybody is served, where the unit has one. `page_kb` is the
    most of a report's page without its figures, `report_kb` of all its files. With `pdf`, each
    report has its page on paper beside it, which Chromium prints.
    """

    folder: Path
    url: Url
    public_url: Url | None = None
    page_kb: Annotated[int, Field(ge=10)] = 150
    report_kb: Annotated[int, Field(ge=10)] = 50_000
    pdf: bool = False


class ShareSettings(Section):
    """The shared folder of sealed deliverables, and how requesters see it.

    `folder_mode` and `file_mode` (octal) and `group` are the rights of all that is put there; what
    is left out is as the system makes it. Without the file `marker` in it, the share counts as not
    mounted.
    """

    folder: Path
    url: str
    folder_mode: Annotated[str, Field(pattern=r"^([0-3]?7[057][05])?$")] = ""
    file_mode: Annotated[str, Field(pattern=r"^(0?6[046][04])?$")] = ""
    group: Annotated[str, Field(pattern=r"^([A-Za-z_][A-Za-z0-9_.-]{0,60})?$")] = ""
    marker: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{0,100}$")] = ""


class SealSettings(Section):
    """The unit's GnuPG home and signing key, and whose keys are trusted.

    `passphrase` unlocks the secret keys of `home`. `recipients` are keys pinned here, which count
    before those confirmed in the ledger. `approvers` may confirm keys; by default the reviewers of
    all services.
    """

    home: Path
    signer: Fingerprint
    passphrase: Annotated[SecretStr, Field(min_length=1)] | None = None
    recipients: Mapping[str, Fingerprint] = Field(default_factory=dict)
    approvers: tuple[str, ...] = ()


class AuditSettings(Section):
    """Where signed heads of the audit log are copied to: a folder elsewhere, a GitLab project.

    They are worth something only where whoever may write the ledger may not write.
    """

    heads: Path | None = None
    project: str = ""
    every_hours: Annotated[float, Field(gt=0)] = 24.0

    @property
    def is_wanted(self) -> bool:
        """Whether heads are copied anywhere."""
        return self.heads is not None or bool(self.project)


class RetentionSettings(Section):
    """How many days `wardbook purge` leaves what a settled request leaves; for ever where not said.

    `evidence_days`: the executed notebook, the logs and the review page of a run, and editions that
    were made again; `runs_days`: its whole folder, and copies of templates and extracts of
    databases that nothing needs;
    `texts_days`: the ledger's copies of what people wrote. `legal_hold` are requests of which
    nothing is ever purged.
    """

    evidence_days: Days | None = None
    runs_days: Days | None = None
    texts_days: Days | None = None
    legal_hold: tuple[str, ...] = ()
