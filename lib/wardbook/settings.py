"""The unit's settings: `wardbook.toml` plus the environment, read once into a frozen object.

Only secrets come from the environment: WARDBOOK_JIRA_TOKEN and WARDBOOK_GITLAB_TOKEN (or files of
mode 0600 named by `token_file`), those of webhooks, and WARDBOOK_LEDGER_URL where the address holds
a password. Relative paths are relative to the file's folder.
"""

from __future__ import annotations

import base64
import binascii
import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    SecretStr,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)

from wardbook.domain.output import Sensitivity
from wardbook.domain.states import TicketStatus
from wardbook.errors import SettingsFault
from wardbook.identifiers.site import check_pattern
from wardbook.messages import Language

Fingerprint = Annotated[str, Field(pattern=r"^[0-9A-F]{40}$")]
Url = Annotated[str, Field(pattern=r"^https?://[^\s/]+(/.*)?$")]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{name!r} is not a time zone; write one like Europe/Paris") from None
    return name


TimeZone = Annotated[str, AfterValidator(_known_zone)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class UnitSettings(_Model):
    """Who we are and where our folders stand. `state` is the secure side.

    `expiry_notice_days` before its legal basis expires, a recurring request says so. `open_to` are
    folders that every notebook may read and write beside its own.
    """

    name: str
    data_protection_officers: Annotated[tuple[str, ...], Field(min_length=1)]
    expiry_notice_days: Annotated[int, Field(ge=0)] = 30
    language: Language = "fr"
    time_zone: TimeZone = "Europe/Paris"
    state: Path = Path("state")
    templates: Path | None = None
    open_to: tuple[Path, ...] = ()


class JiraFields(_Model):
    """Ids of the custom fields that hold a data request; a unit may do without the last two."""

    purpose: str
    legal_basis: str
    reference: str
    expires: str
    approver: str
    ethics: str
    dpo: str
    template: str
    parameters: str
    language: str
    recurrence: str | None = None
    colleagues: str | None = None


class JiraWorkflow(_Model):
    """Names of the Jira statuses that we lead a ticket to, and the resolutions that we set.

    `todo` is where a ticket stands that was reopened; `dropped` is the resolution of a ticket that
    the unit closes without an answer.
    """

    working: str
    waiting: str
    done: str
    resolution: str
    todo: str = ""
    dropped: str = ""

    def status(self, wanted: TicketStatus) -> str:
        """Return the unit's name for a status."""
        names = {
            TicketStatus.WORKING: self.working,
            TicketStatus.WAITING: self.waiting,
            TicketStatus.DONE: self.done,
        }
        return names[wanted]


class JiraSettings(_Model):
    """The Jira server. `overlap_minutes` covers a lagging index and minute-wide dates."""

    url: Url
    project: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]+$")]
    token: SecretStr
    account: str | None = None
    fields: JiraFields
    workflow: JiraWorkflow
    overlap_minutes: Annotated[int, Field(ge=1)] = 10
    census_hours: Annotated[float, Field(gt=0)] = 6.0


class GitLabSettings(_Model):
    """The GitLab server. `people` names those of Jira who are called otherwise in GitLab.

    `accounts` pins the number of a reviewer's account: whoever takes over the name of a renamed
    one does not take over its approvals.
    """

    url: Url
    token: SecretStr
    branch: str = "main"
    people: Mapping[str, str] = Field(default_factory=dict)
    accounts: Mapping[str, int] = Field(default_factory=dict)

    @property
    def host(self) -> str:
        """The server's host, with its port where one is named."""
        return urlsplit(self.url).netloc


class ServiceSettings(_Model):
    """One hospital service: its GitLab project, who may approve and who may review.

    `policy` names a disclosure policy that is stricter than the unit's, where it needs one.
    """

    project: str
    approvers: tuple[str, ...]
    reviewers: tuple[str, ...]
    policy: str = ""


class DisclosureSettings(_Model):
    """By which rules outputs are judged; `policies` is the unit's own folder of policies."""

    policy: str = "fr-hospital"
    policies: Path | None = None


class AttachmentSettings(_Model):
    """Which attachments of tickets are copied to GitLab: `text/*` allows a whole kind."""

    max_bytes: Annotated[int, Field(ge=0)] = 10_000_000
    media_types: tuple[str, ...] = (
        "application/json",
        "application/pdf",
        "application/vnd.oasis.opendocument.spreadsheet",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "image/gif",
        "image/jpeg",
        "image/png",
        "text/*",
    )


class SyncSettings(_Model):
    """How many requests are brought up to date at a time."""

    workers: Annotated[int, Field(ge=1, le=64)] = 4


class NameColumns(_Model):
    """Columns of a source's file that name persons; those of first names are read together."""

    surnames: Annotated[tuple[str, ...], Field(min_length=1)]
    first_names: tuple[str, ...] = ()


class SourceSettings(_Model):
    """One data source of the hospital.

    `names`: outputs of runs that read it are searched for the names that stand in these columns.
    """

    kind: str
    path: Path
    sensitivity: Sensitivity
    default: bool = False
    names: NameColumns | None = None


class DaskSettings(_Model):
    """Runs go to a Dask cluster, on this machine unless an address is given."""

    kind: Literal["dask"] = "dask"
    workers: Annotated[int, Field(ge=1)] = 2
    address: str | None = None


def _is_one_word(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_.,:@+-]{0,100}", text) is None or text.startswith("-"):
        raise ValueError(
            "a word of Slurm's has letters, digits and _.,:@+- only, no blank and no line break; "
            "write it as `sinfo` or `sacctmgr show` does, or leave the line out"
        )
    return text


SlurmWord = Annotated[str, AfterValidator(_is_one_word)]


class SlurmSettings(_Model):
    """Runs go to Slurm, one job each. What is left out, or empty, is left to Slurm.

    `python` is the interpreter on the nodes that has Wardbook, this one's path by default; `conf`
    is the cluster's slurm.conf where Slurm does not find it by itself; `accounting` says that
    `sacct` may be asked for jobs that the controller has forgotten; `largest_array` is at most
    Slurm's own MaxArraySize less one.
    """

    kind: Literal["slurm"]
    partition: SlurmWord = ""
    account: SlurmWord = ""
    qos: SlurmWord = ""
    python: Path | None = None
    conf: Path | None = None
    accounting: bool = False
    largest_array: Annotated[int, Field(ge=1, le=100_000)] = 500

    @field_validator("python")
    @classmethod
    def _must_be_absolute(cls, python: Path | None) -> Path | None:
        if python is not None and (not python.is_absolute() or not str(python).isprintable()):
            raise ValueError("write the whole path of the interpreter on the nodes, from /")
        return python


def _read_kind(given: object) -> object:
    return given.get("kind", "dask") if isinstance(given, dict) else getattr(given, "kind", None)


ExecutorSettings = Annotated[
    Annotated[DaskSettings, Tag("dask")] | Annotated[SlurmSettings, Tag("slurm")],
    Discriminator(
        _read_kind,
        custom_error_type="executor_kind",
        custom_error_message='kind is "dask" or "slurm"',
    ),
]


class SiteSettings(_Model):
    """The static site: its folder, and the address under which readers see it."""

    folder: Path
    url: Url


class ShareSettings(_Model):
    """The shared folder of sealed deliverables, and how requesters see it."""

    folder: Path
    url: str


class SealSettings(_Model):
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


SitePattern = Annotated[str, AfterValidator(check_pattern)]


class IdentifierSettings(_Model):
    """How the hospital numbers patients (IPP) and stays (NDA), and what everybody may see.

    `shown` are the unit's own telephone, address and numbers, which reports may hold.
    """

    ipp: SitePattern = "8[0-9]{9}"
    nda: SitePattern = "N[0-9]{9}"
    shown: tuple[str, ...] = ()


class WebhookSettings(_Model):
    """Where Jira and GitLab may wake `wardbook serve`, and the secrets that prove it is they."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8089
    max_bytes: Annotated[int, Field(ge=1024)] = 1_048_576
    jira_secret: Annotated[SecretStr, Field(min_length=16)] | None = None
    gitlab_secret: Annotated[SecretStr, Field(min_length=16)] | None = None
    gitlab_signing_secret: SecretStr | None = None

    @field_validator("gitlab_signing_secret")
    @classmethod
    def _must_be_a_key(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None:
            decode_signing_secret(secret.get_secret_value())
        return secret

    @model_validator(mode="after")
    def _must_hold_a_secret(self) -> WebhookSettings:
        if not (self.jira_secret or self.gitlab_secret or self.gitlab_signing_secret):
            raise ValueError(
                "no secret. Set `jira_secret_file`, `gitlab_signing_secret_file` or "
                "`gitlab_secret_file`, or remove [webhooks]"
            )
        return self


def decode_signing_secret(secret: str) -> bytes:
    """Return the key in a secret of Standard Webhooks, `whsec_<base64>`.

    Raises:
        ValueError: it is none, or a key of less than 24 bytes.
    """
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith("whsec_") or len(key) < 24:
        raise ValueError("a signing secret is whsec_ and at least 24 bytes in Base64")
    return key


class AuditSettings(_Model):
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


Days = Annotated[int, Field(ge=0)]


class RetentionSettings(_Model):
    """How many days `wardbook purge` leaves what a settled request leaves; for ever where not said.

    `evidence_days`: the executed notebook, the logs and the review page of a run, and editions that
    were made again; `runs_days`: its whole folder, and copies of templates that nothing needs;
    `texts_days`: the ledger's copies of what people wrote. `legal_hold` are requests of which
    nothing is ever purged.
    """

    evidence_days: Days | None = None
    runs_days: Days | None = None
    texts_days: Days | None = None
    legal_hold: tuple[str, ...] = ()


class ReviewSettings(_Model):
    """How outputs are reviewed: how reviewers see the runs' folders, and what is told ahead."""

    evidence_url: Annotated[str, Field(pattern=r"^(https?|file)://[^\s<>\"]+$")] | None = None
    notice_days: Annotated[int, Field(ge=0)] = 30


Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


class StandingApproval(_Model):
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


class Settings(_Model):
    """Everything that the platform must be told."""

    unit: UnitSettings
    ledger: Annotated[str, Field(pattern=r"^(sqlite|postgresql)(\+\w+)?://")]
    jira: JiraSettings
    gitlab: GitLabSettings
    services: Mapping[str, ServiceSettings]
    people: Mapping[str, str] = Field(default_factory=dict)
    attachments: AttachmentSettings = AttachmentSettings()
    disclosure: DisclosureSettings = DisclosureSettings()
    sync: SyncSettings = SyncSettings()
    sources: Mapping[str, SourceSettings] = Field(default_factory=dict)
    executor: ExecutorSettings = DaskSettings()
    site: SiteSettings
    share: ShareSettings
    seal: SealSettings
    identifiers: IdentifierSettings = IdentifierSettings()
    webhooks: WebhookSettings | None = None
    review: ReviewSettings = ReviewSettings()
    audit: AuditSettings = AuditSettings()
    retention: RetentionSettings = RetentionSettings()
    standing_approvals: Mapping[str, StandingApproval] = Field(default_factory=dict)

    @property
    def projects(self) -> list[str]:
        """The GitLab projects of all services, in the order of the alphabet."""
        return sorted({service.project for service in self.services.values()})

    @property
    def key_approvers(self) -> tuple[str, ...]:
        """Those who may confirm people's keys, in the order of the alphabet."""
        reviewers = {one for service in self.services.values() for one in service.reviewers}
        return tuple(sorted(self.seal.approvers or reviewers))

    def name_of(self, account: str) -> str:
        """Return the name by which people know an account."""
        return self.people.get(account, account)


def load_settings(file: Path, environ: Mapping[str, str]) -> Settings:
    """Read the settings from `file` and the secrets from `environ`.

    Raises:
        SettingsFault: a key is unknown, missing or wrong; the message says what to write instead.
    """
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsFault(
            f"{file} is not there. `wardbook init` writes one to fill in."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsFault(f"{file} is not readable as TOML: {error}. Mend that line.") from None
    folder = file.resolve().parent
    _add_secrets(raw, environ, folder)
    if "WARDBOOK_LEDGER_URL" in environ:
        raw["ledger"] = environ["WARDBOOK_LEDGER_URL"]
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        problems = "\n".join(f"  - {line}" for line in _explain(error))
        raise SettingsFault(f"{file} cannot be used:\n{problems}") from None
    return _anchor_paths(settings, folder)


_SECRETS = (
    ("seal", "passphrase", None),
    ("jira", "token", "WARDBOOK_JIRA_TOKEN"),
    ("gitlab", "token", "WARDBOOK_GITLAB_TOKEN"),
    ("webhooks", "jira_secret", "WARDBOOK_JIRA_WEBHOOK_SECRET"),
    ("webhooks", "gitlab_secret", "WARDBOOK_GITLAB_WEBHOOK_SECRET"),
    ("webhooks", "gitlab_signing_secret", "WARDBOOK_GITLAB_SIGNING_SECRET"),
)


def _add_secrets(raw: dict[str, Any], environ: Mapping[str, str], folder: Path) -> None:
    for section, key, variable in _SECRETS:
        table = raw.get(section)
        if not isinstance(table, dict):
            continue
        if key in table:
            ways = f'`{key}_file = "…"` (a file of mode 0600)'
            raise SettingsFault(
                f"[{section}] holds a {key} in plain sight. Remove the line, and set "
                + (f"{variable} or {ways}." if variable else f"{ways}.")
            )
        secret = environ.get(variable) if variable else None
        named = table.pop(f"{key}_file", None)
        if secret is None and named is not None:
            secret = _read_secret(f"{key}_file", folder / str(named))
        if secret is not None:
            table[key] = secret


def _read_secret(key: str, file: Path) -> str:
    try:
        if file.stat().st_mode & 0o077:
            raise SettingsFault(f"{file} can be read by others. Run: chmod 600 {file}")
        return file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise SettingsFault(f"{key} {file} is not there. Write the secret into it.") from None


def _explain(error: ValidationError) -> Iterable[str]:
    """Say for each problem which key it is about and what to write instead."""
    for problem in error.errors(include_url=False, include_input=False):
        place = ".".join(_name_place(problem["loc"]))
        last = str(problem["loc"][-1]) if problem["loc"] else ""
        if problem["type"] == "missing" and last == "token":
            server = str(problem["loc"][0])
            yield (
                f"{server}: no token. Set WARDBOOK_{server.upper()}_TOKEN in the environment, or "
                f'`token_file = "…"` under [{server}].'
            )
        elif problem["type"] == "missing":
            yield f"{place} is missing. Add it; docs/settings.md shows each key with an example."
        elif problem["type"] == "extra_forbidden":
            near = difflib.get_close_matches(last, _known_keys(Settings), n=1)
            hint = f"Did you mean `{near[0]}`?" if near else "Remove it."
            yield f"{place} is not a setting. {hint}"
        else:
            yield f"{place}: {problem['msg']}."


def _name_place(parts: tuple[int | str, ...]) -> list[str]:
    """Name a key as it stands in the file: without the kind that chose between two tables."""
    names = [str(part) for part in parts]
    return names[:1] + names[2:] if names[:1] == ["executor"] and len(names) > 2 else names


def _known_keys(model: type[BaseModel]) -> set[str]:
    keys: set[str] = set()
    for name, info in model.model_fields.items():
        keys.add(name)
        for kind in (info.annotation, *getattr(info.annotation, "__args__", ())):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                keys |= _known_keys(kind)
    return keys


def _anchor_paths(settings: Settings, folder: Path) -> Settings:
    """Make every path absolute, relative ones from the settings' own folder."""
    unit = settings.unit.model_copy(
        update={
            "state": folder / settings.unit.state,
            "templates": settings.unit.templates and folder / settings.unit.templates,
            "open_to": tuple(folder / path for path in settings.unit.open_to),
        }
    )
    sources = {
        name: source.model_copy(update={"path": folder / source.path})
        for name, source in settings.sources.items()
    }
    policies = settings.disclosure.policies
    disclosure = settings.disclosure.model_copy(update={"policies": policies and folder / policies})
    executor = settings.executor
    if executor.kind == "slurm" and executor.conf is not None:
        executor = executor.model_copy(update={"conf": folder / executor.conf})
    heads = settings.audit.heads
    ledger = settings.ledger
    if ledger.startswith("sqlite:///") and not ledger.startswith("sqlite:////"):
        ledger = f"sqlite:///{folder / ledger.removeprefix('sqlite:///')}"
    return settings.model_copy(
        update={
            "unit": unit,
            "disclosure": disclosure,
            "ledger": ledger,
            "sources": sources,
            "executor": executor,
            "audit": settings.audit.model_copy(update={"heads": heads and folder / heads}),
            "site": settings.site.model_copy(update={"folder": folder / settings.site.folder}),
            "share": settings.share.model_copy(update={"folder": folder / settings.share.folder}),
            "seal": settings.seal.model_copy(update={"home": folder / settings.seal.home}),
        }
    )
