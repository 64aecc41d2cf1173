"""The house: settings and everything built from them, made when first needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

from pipelines.circumstances import Circumstances
from requests_sync.gitlab_port import GitLabPort
from requests_sync.issue_index import IssueIndex
from requests_sync.jira_port import JiraPort
from wardbook.audit.account import Act
from wardbook.audit.entry import Fact
from wardbook.disclosure import Policy, choose_policy, load_policies
from wardbook.domain.states import Actor
from wardbook.ledger import Ledger, open_ledger
from wardbook.settings import ServiceSettings, Settings
from wardbook.shipped import shipped_folder
from wardbook.template.spec import Template, load_catalogue

if TYPE_CHECKING:
    from pipelines.executors.interface import Executor
    from requests_sync.effects import Effect
    from wardbook.metrics.database import MetricsDatabase
    from wardbook.seal import Keyring


def read_clock() -> datetime:
    """Return the present moment, in UTC."""
    return datetime.now(UTC)


class House:
    """One unit's platform. A context manager: leaving it stops what it started."""

    def __init__(
        self,
        settings: Settings,
        now: Callable[[], datetime] = read_clock,
        act: Act | None = None,
    ) -> None:
        self.settings = settings
        self.act = act
        self.now = now
        self._executor: Executor | None = None
        self._keyring: Keyring | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._executor is not None:
            self._executor.close()
        if self._keyring is not None:
            self._keyring.close()
        if "ledger" in self.__dict__:
            self.ledger.close()

    @property
    def today(self) -> date:
        """The day in the unit's time zone, on which bases and approvals must still hold."""
        return self.now().astimezone(self.zone).date()

    @property
    def zone(self) -> ZoneInfo:
        """The unit's time zone."""
        return ZoneInfo(self.settings.unit.time_zone)

    @cached_property
    def ledger(self) -> Ledger:
        """The durable record; with it the secure side comes to be, closed to everybody else."""
        state = self.settings.unit.state
        state.mkdir(parents=True, exist_ok=True)
        state.chmod(0o700)
        ledger = open_ledger(self.settings.ledger)
        ledger.act = self.act
        return ledger

    def note_fact(self, event: str, request: str = "", **details: object) -> None:
        """Append a fact to the audit log: the command's account did it, or the platform itself."""
        actor = self.act.account if self.act else Actor.PLATFORM
        at = self.now().isoformat(timespec="milliseconds")
        self.ledger.note_fact(Fact(at, actor, event, request, details))

    @cached_property
    def circumstances(self) -> Circumstances:
        """Data and software as they are during this pass; `look_again` begins another."""
        return Circumstances(self.settings, self.now, self.templates)

    def look_again(self) -> None:
        """Forget what software there was when the last pass began."""
        self.__dict__.pop("circumstances", None)

    @cached_property
    def templates(self) -> Mapping[str, Template]:
        """The catalogue, by name."""
        return load_catalogue(self.settings.unit.templates or shipped_folder("templates"))

    @cached_property
    def policies(self) -> Mapping[str, Policy]:
        """The disclosure policies that there are, by name."""
        return load_policies(self.settings.disclosure.policies or shipped_folder("policies"))

    def policy_for(self, service: str, template: Template) -> Policy:
        """Return the strictest policy that the unit, a service or a template asks for.

        Raises:
            SettingsFault: one of them asks for a policy that is not there, or not comparable.
        """
        asked = {
            f"services.{service}.policy": self.service(service).policy,
            f"the template {template.spec.name}": template.spec.policy,
        }
        return choose_policy(self.policies, self.settings.disclosure.policy, asked)

    @cached_property
    def jira(self) -> JiraPort:
        """The requesters' side."""
        return JiraPort(self.settings.jira)

    @cached_property
    def field_names(self) -> Mapping[str, str]:
        """What Jira calls each field of a ticket, as it was when first asked for."""
        known = self.jira.field_names()
        ids = {"components": "components"} | self.settings.jira.fields.model_dump(exclude_none=True)
        return {field: known[identity] for field, identity in ids.items() if identity in known}

    @cached_property
    def gitlab(self) -> GitLabPort:
        """The analysts' side."""
        return GitLabPort(self.settings.gitlab)

    @cached_property
    def issues(self) -> IssueIndex:
        """Which issue belongs to which ticket, asked when the ledger does not know."""
        return IssueIndex(self.gitlab)

    def effects(self) -> Mapping[str, Effect]:
        """Return every kind of effect, by the name that intents use, for work on one request."""
        # Imported when there is something to do: a pass with nothing to settle stays quick.
        from pipelines.channels import channel_effects
        from pipelines.mails import MailSend
        from requests_sync.effects import tracker_effects

        settings = self.settings
        trackers = tracker_effects(
            self.jira, self.gitlab, self.issues, settings.gitlab.branch, settings.unit.language
        )
        return trackers | channel_effects(self) | {"mail.send": MailSend(self)}

    def worker(self) -> House:
        """Return a house for another thread: the same ledger, with connections of its own."""
        worker = House(self.settings, self.now)
        worker.__dict__ |= {
            "ledger": self.ledger,
            "templates": self.templates,
            "circumstances": self.circumstances,
            "issues": self.issues,
        }
        return worker

    @property
    def executor(self) -> Executor:
        """Where runs go; its cluster starts with the first run."""
        if self._executor is None:
            self._executor = _open_executor(self.settings)
        return self._executor

    @property
    def executor_started(self) -> bool:
        """Whether any run was handed out by this process."""
        return self._executor is not None

    @property
    def keyring(self) -> Keyring:
        """The unit's keys."""
        if self._keyring is None:
            from wardbook.seal import Keyring

            seal = self.settings.seal
            secret = seal.passphrase.get_secret_value() if seal.passphrase else None
            self._keyring = Keyring(seal.home, secret)
        return self._keyring

    def open_metrics(self) -> MetricsDatabase:
        """Open the metrics' database, as a context manager; this is where it comes to be."""
        from wardbook.metrics.database import MetricsDatabase

        return MetricsDatabase(self.settings.metrics_database)

    def service(self, name: str) -> ServiceSettings:
        """Return the settings of a hospital service that passed the gate."""
        return self.settings.services[name]

    @property
    def extracts(self) -> Path:
        """Where what runs read of databases stands, on the secure side."""
        return self.settings.unit.state / "extracts"

    def run_folder(self, run: str) -> Path:
        """Return where a run's files stand, on the secure side."""
        return self.settings.unit.state / "runs" / run


def _open_executor(settings: Settings) -> Executor:
    # Imported when a run is handed out: a pass without one needs neither.
    if settings.executor.kind == "slurm":
        from pipelines.executors.slurm import SlurmExecutor

        return SlurmExecutor(settings.executor, settings.unit.state / "slurm")
    from pipelines.executors.dask_executor import DaskExecutor

    return DaskExecutor(workers=settings.executor.workers, address=settings.executor.address)
