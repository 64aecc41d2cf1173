"""Reads `wardbook.toml` and the environment into one frozen object, and explains what is wrong."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    Field,
    ValidationError,
    model_validator,
)

from wardbook.errors import SettingsFault
from wardbook.settings.bench import BenchSettings
from wardbook.settings.data import IdentifierSettings, SourceSettings
from wardbook.settings.executors import DaskSettings, ExecutorSettings
from wardbook.settings.grafana import GrafanaSettings, PrometheusSettings
from wardbook.settings.leaving import (
    AuditSettings,
    DisclosureSettings,
    RetentionSettings,
    ReviewSettings,
    SealSettings,
    ShareSettings,
    SiteSettings,
    StandingApproval,
)
from wardbook.settings.mail import MailSettings
from wardbook.settings.section import Section
from wardbook.settings.trackers import (
    AttachmentSettings,
    GitLabSettings,
    JiraSettings,
    SyncSettings,
    WebhookSettings,
)
from wardbook.settings.unit import ServiceSettings, UnitSettings


class Settings(Section):
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
    bench: BenchSettings = BenchSettings()
    site: SiteSettings
    share: ShareSettings
    seal: SealSettings
    identifiers: IdentifierSettings = IdentifierSettings()
    grafana: GrafanaSettings = GrafanaSettings()
    prometheus: PrometheusSettings | None = None
    webhooks: WebhookSettings | None = None
    mail: MailSettings | None = None
    review: ReviewSettings = ReviewSettings()
    audit: AuditSettings = AuditSettings()
    retention: RetentionSettings = RetentionSettings()
    standing_approvals: Mapping[str, StandingApproval] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _services_of_sources_exist(self) -> Settings:
        for name, source in self.sources.items():
            for service in source.services:
                if service not in self.services:
                    raise ValueError(f"sources.{name}: there is no service {service!r}")
        return self

    @property
    def projects(self) -> list[str]:
        """The GitLab projects of all services, in the order of the alphabet."""
        return sorted({service.project for service in self.services.values()})

    @property
    def key_approvers(self) -> tuple[str, ...]:
        """Those who may confirm people's keys, in the order of the alphabet."""
        reviewers = {one for service in self.services.values() for one in service.reviewers}
        return tuple(sorted(self.seal.approvers or reviewers))

    @property
    def metrics_database(self) -> str:
        """The address of the metrics' database."""
        return self.grafana.database or f"sqlite:///{self.unit.state / 'metrics.db'}"

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
    if "WARDBOOK_METRICS_URL" in environ:
        raw.setdefault("grafana", {})["database"] = environ["WARDBOOK_METRICS_URL"]
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        problems = "\n".join(f"  - {line}" for line in _explain(error))
        raise SettingsFault(f"{file} cannot be used:\n{problems}") from None
    settings = _anchor_paths(settings, folder)
    for name, source in settings.sources.items():
        if source.path and source.path.resolve().is_relative_to(settings.bench.twins.resolve()):
            raise SettingsFault(
                f"{file}: sources.{name}.path is in the folder of twins (bench.twins): invented "
                "rows are no source. Name the file that the twin was made of."
            )
    return settings


_SECRETS = (
    ("seal", "passphrase", None),
    ("jira", "token", "WARDBOOK_JIRA_TOKEN"),
    ("gitlab", "token", "WARDBOOK_GITLAB_TOKEN"),
    ("grafana", "token", "WARDBOOK_GRAFANA_TOKEN"),
    ("mail", "password", "WARDBOOK_MAIL_PASSWORD"),
    ("webhooks", "jira_secret", "WARDBOOK_JIRA_WEBHOOK_SECRET"),
    ("webhooks", "gitlab_secret", "WARDBOOK_GITLAB_WEBHOOK_SECRET"),
    ("webhooks", "gitlab_signing_secret", "WARDBOOK_GITLAB_SIGNING_SECRET"),
)


def _add_secrets(raw: dict[str, Any], environ: Mapping[str, str], folder: Path) -> None:
    for section, key, variable in _SECRETS:
        _add_secret(raw.get(section), section, key, variable, environ, folder)
    sources = raw.get("sources")
    for name, table in sources.items() if isinstance(sources, dict) else ():
        variable = f"WARDBOOK_SOURCE_{name.upper()}_PASSWORD"
        _add_secret(table, f"sources.{name}", "password", variable, environ, folder)


def _add_secret(
    table: object,
    section: str,
    key: str,
    variable: str | None,
    environ: Mapping[str, str],
    folder: Path,
) -> None:
    if not isinstance(table, dict):
        return
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
        name: source.model_copy(update={"path": source.path and folder / source.path})
        for name, source in settings.sources.items()
    }
    policies = settings.disclosure.policies
    disclosure = settings.disclosure.model_copy(update={"policies": policies and folder / policies})
    executor = settings.executor
    if executor.kind == "slurm" and executor.conf is not None:
        executor = executor.model_copy(update={"conf": folder / executor.conf})
    heads, mail = settings.audit.heads, settings.mail
    if mail is not None and mail.ca_file is not None:
        mail = mail.model_copy(update={"ca_file": folder / mail.ca_file})
    metrics = settings.grafana.database
    grafana = settings.grafana.model_copy(
        update={"database": metrics and _anchor_database(metrics, folder)}
    )
    return settings.model_copy(
        update={
            "unit": unit,
            "disclosure": disclosure,
            "ledger": _anchor_database(settings.ledger, folder),
            "grafana": grafana,
            "sources": sources,
            "executor": executor,
            "bench": settings.bench.model_copy(
                update={
                    "folder": folder / settings.bench.folder.expanduser(),
                    "twins": folder / settings.bench.twins,
                }
            ),
            "mail": mail,
            "audit": settings.audit.model_copy(update={"heads": heads and folder / heads}),
            "site": settings.site.model_copy(update={"folder": folder / settings.site.folder}),
            "share": settings.share.model_copy(update={"folder": folder / settings.share.folder}),
            "seal": settings.seal.model_copy(update={"home": folder / settings.seal.home}),
        }
    )


def _anchor_database(url: str, folder: Path) -> str:
    if url.startswith("sqlite:///") and not url.startswith("sqlite:////"):
        return f"sqlite:///{folder / url.removeprefix('sqlite:///')}"
    return url
