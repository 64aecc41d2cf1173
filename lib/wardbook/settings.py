"""The unit's settings: `wardbook.toml` plus the environment, read once into a frozen object.

Only secrets come from the environment: WARDBOOK_JIRA_TOKEN and WARDBOOK_GITLAB_TOKEN (or files of
mode 0600 named by `token_file`), and WARDBOOK_LEDGER_URL where the address holds a password.
Relative paths are relative to the file's folder.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from wardbook.domain.output import Sensitivity
from wardbook.domain.states import TicketStatus
from wardbook.errors import SettingsFault
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

    `expiry_notice_days` before its legal basis expires, a recurring request says so.
    """

    name: str
    data_protection_officers: Annotated[tuple[str, ...], Field(min_length=1)]
    expiry_notice_days: Annotated[int, Field(ge=0)] = 30
    language: Language = "fr"
    time_zone: TimeZone = "Europe/Paris"
    state: Path = Path("state")
    templates: Path | None = None


class JiraFields(_Model):
    """Ids of the custom fields that hold a data request; a unit may do without `recurrence`."""

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


class JiraWorkflow(_Model):
    """Names of the Jira statuses that we lead a ticket to, and the resolution that we set."""

    working: str
    waiting: str
    done: str
    resolution: str

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
    """The GitLab server."""

    url: Url
    token: SecretStr
    branch: str = "main"


class ServiceSettings(_Model):
    """One hospital service: its GitLab project, who may approve and who may review."""

    project: str
    approvers: tuple[str, ...]
    reviewers: tuple[str, ...]


class SourceSettings(_Model):
    """One data source of the hospital."""

    kind: str
    path: Path
    sensitivity: Sensitivity
    default: bool = False


class ExecutorSettings(_Model):
    """Where runs go: a Dask cluster, on this machine unless an address is given."""

    kind: Literal["dask"] = "dask"
    workers: Annotated[int, Field(ge=1)] = 2
    address: str | None = None


class SiteSettings(_Model):
    """The static site: its folder, and the address under which readers see it."""

    folder: Path
    url: Url


class ShareSettings(_Model):
    """The shared folder of sealed deliverables, and how requesters see it."""

    folder: Path
    url: str


class SealSettings(_Model):
    """The unit's GnuPG home and signing key, and the pinned keys of recipients."""

    home: Path
    signer: Fingerprint
    recipients: Mapping[str, Fingerprint] = Field(default_factory=dict)


class StandingApproval(_Model):
    """A reviewer's approval of a template as it is: code unchanged, checks passed, until a day."""

    reviewer: str
    until: date
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Settings(_Model):
    """Everything that the platform must be told."""

    unit: UnitSettings
    ledger: Annotated[str, Field(pattern=r"^(sqlite|postgresql)(\+\w+)?://")]
    jira: JiraSettings
    gitlab: GitLabSettings
    services: Mapping[str, ServiceSettings]
    people: Mapping[str, str] = Field(default_factory=dict)
    sources: Mapping[str, SourceSettings] = Field(default_factory=dict)
    executor: ExecutorSettings = ExecutorSettings()
    site: SiteSettings
    share: ShareSettings
    seal: SealSettings
    standing_approvals: Mapping[str, StandingApproval] = Field(default_factory=dict)

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
    _add_tokens(raw, environ, folder)
    if "WARDBOOK_LEDGER_URL" in environ:
        raw["ledger"] = environ["WARDBOOK_LEDGER_URL"]
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        problems = "\n".join(f"  - {line}" for line in _explain(error))
        raise SettingsFault(f"{file} cannot be used:\n{problems}") from None
    return _anchor_paths(settings, folder)


def _add_tokens(raw: dict[str, Any], environ: Mapping[str, str], folder: Path) -> None:
    for server in ("jira", "gitlab"):
        table = raw.get(server)
        if not isinstance(table, dict):
            continue
        if "token" in table:
            raise SettingsFault(
                f"[{server}] holds a token in plain sight. Remove the line, and set "
                f'WARDBOOK_{server.upper()}_TOKEN or `token_file = "…"` (a file of mode 0600).'
            )
        token = environ.get(f"WARDBOOK_{server.upper()}_TOKEN")
        token_file = table.pop("token_file", None)
        if token is None and token_file is not None:
            token = _read_token(folder / str(token_file))
        if token is not None:
            table["token"] = token


def _read_token(file: Path) -> str:
    try:
        if file.stat().st_mode & 0o077:
            raise SettingsFault(f"{file} can be read by others. Run: chmod 600 {file}")
        return file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise SettingsFault(f"token_file {file} is not there. Write the token into it.") from None


def _explain(error: ValidationError) -> Iterable[str]:
    """Say for each problem which key it is about and what to write instead."""
    for problem in error.errors(include_url=False, include_input=False):
        place = ".".join(str(part) for part in problem["loc"])
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
        }
    )
    sources = {
        name: source.model_copy(update={"path": folder / source.path})
        for name, source in settings.sources.items()
    }
    ledger = settings.ledger
    if ledger.startswith("sqlite:///") and not ledger.startswith("sqlite:////"):
        ledger = f"sqlite:///{folder / ledger.removeprefix('sqlite:///')}"
    return settings.model_copy(
        update={
            "unit": unit,
            "ledger": ledger,
            "sources": sources,
            "site": settings.site.model_copy(update={"folder": folder / settings.site.folder}),
            "share": settings.share.model_copy(update={"folder": folder / settings.share.folder}),
            "seal": settings.seal.model_copy(update={"home": folder / settings.seal.home}),
        }
    )
