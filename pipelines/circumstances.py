"""What a decision looks at beside the ledger: the day, the templates, the data, the software.

The pass and `wardbook why` decide through the same `decide` here, so that one cannot say what the
other does not do. Nothing here speaks to a server, and importing it is quick.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache, partial
from pathlib import Path
from zoneinfo import ZoneInfo

from pipelines.decide import Step, next_step
from pipelines.rerun import can_be_cured
from wardbook.data_versions import DataVersions
from wardbook.domain.made_from import Change, MadeFrom, SourceVersion, find_changes, run_key
from wardbook.domain.record import Record
from wardbook.domain.request import Request
from wardbook.domain.run import RunResult
from wardbook.domain.states import State
from wardbook.environment import (
    Environment,
    describe_environment,
    digest_of,
    keep_environment,
    kept_environment,
)
from wardbook.errors import DataProblem
from wardbook.review.approving import Panel, panel_of
from wardbook.settings import Settings
from wardbook.shipped import shipped_folder
from wardbook.template.kept import keep_template
from wardbook.template.spec import Template, load_catalogue


class Circumstances:
    """A unit as it is during one pass; files are looked at each time, software and databases once.

    `database_version` returns the version of the data of a kind in a database of the settings, or
    why there is none; it raises ForeignFault where the database cannot be asked.
    """

    def __init__(
        self,
        settings: Settings,
        now: Callable[[], datetime],
        templates: Mapping[str, Template] | None = None,
    ) -> None:
        self.settings = settings
        self.now = now
        self.templates = (
            templates
            if templates is not None
            else load_catalogue(settings.unit.templates or shipped_folder("templates"))
        )
        self.zone = ZoneInfo(settings.unit.time_zone)
        state = settings.unit.state
        self.environments = state / "environments"
        self.kept_templates = state / "templates"
        self.data = DataVersions(state / "data-versions.json")
        self.environment = cache(describe_environment)
        self.kept_environment = cache(partial(kept_environment, self.environments))
        self.database_version = cache(self._ask_version)
        self.environment_digest = cache(lambda kernel: digest_of(self.environment(kernel)))

    @property
    def today(self) -> date:
        """The day in the unit's time zone."""
        return self.now().astimezone(self.zone).date()

    def decide(self, record: Record, *, copies_wait: bool = False) -> Step:
        """Decide the next step of a request whose own effects are all confirmed."""
        return next_step(
            record,
            self.panel_of(record),
            now=self.now(),
            zone=self.zone,
            notice_days=self.settings.unit.expiry_notice_days,
            cause_gone=self.is_cause_gone(record),
            copies_wait=copies_wait,
        )

    def panel_of(self, record: Record) -> Panel:
        """Return who may review a request now, and how many have to."""
        template = self.templates.get(record.request.template) if record.request else None
        return panel_of(self.settings, record, template.spec if template else None)

    def is_cause_gone(self, record: Record) -> bool:
        """Tell whether a run failed on something that is not as it was.

        The same parts are tried by themselves once only: two machines with different software
        must not take turns at failing.
        """
        failure = record.work.failure
        if record.state is not State.FAILED or failure is None:
            return False
        before, made = record.work.made_from, self.made_now(record)
        if not (before and made and can_be_cured(failure.kind, find_changes(before, made))):
            return False
        again = run_key(record.key, record.work.period, made, record.work.forced)
        earlier = RunResult.read(self.settings.unit.state / "runs" / again)
        return earlier is None or earlier.failure is None

    def changes_since(
        self, record: Record, parameters: Mapping[str, str] | None = None
    ) -> tuple[Change, ...]:
        """Name what differs now from what the request's run was made from.

        Nothing where the request was not run. The branch counts as it was last read; `parameters`
        are the digests of those that stand on it, where somebody knows them.
        """
        before, now = record.work.made_from, self.made_now(record, parameters)
        return find_changes(before, now) if before and now else ()

    def made_now(
        self, record: Record, parameters: Mapping[str, str] | None = None
    ) -> MadeFrom | None:
        """Return what the request's run would be made from now; None where it was not run."""
        made, request = record.work.made_from, record.request
        if made is None or request is None:
            return None
        known = made.parameters if parameters is None else parameters
        return self.made_from(request, record.review.head or made.commit, known)

    def made_from(self, request: Request, commit: str, parameters: Mapping[str, str]) -> MadeFrom:
        """Return what a run of this request would be made from now.

        Args:
            request: names the template and the sources.
            commit: the branch's head.
            parameters: the digests of the parameters on that branch.
        """
        template = self.templates.get(request.template)
        return MadeFrom(
            commit=commit,
            template=request.template,
            template_version=template.spec.version if template else "",
            template_digest=template.digest if template else "",
            parameters=parameters,
            sources=self.sources_of(request),
            environment=self.environment_digest(template.spec.kernel) if template else "",
        )

    def sources_of(self, request: Request) -> dict[str, SourceVersion]:
        """Return the sources of a request that are there now, each in its present version."""
        template = self.templates.get(request.template)
        declared = template.spec.sources if template else {}
        found = {}
        for name, chosen in request.sources.items():
            source, version = self.settings.sources.get(chosen), None
            if source and source.path:
                version = self._version_of(chosen, source.path)
            elif source and name in declared:
                version = self._version_of_database(chosen, declared[name].kind)
            if version is not None:
                found[name] = version
        return found

    def _version_of_database(self, source: str, kind: str) -> SourceVersion | None:
        version = self.database_version(source, kind)
        if isinstance(version, DataProblem):
            return None
        address = self.settings.sources[source].address or ""
        return SourceVersion(source, address, -1, 0, 0, version)

    def _ask_version(self, source: str, kind: str) -> str | DataProblem:
        # Imported where there is a database: a pass without one stays quick.
        from pipelines.sources import warehouse_of
        from wardbook.warehouse.apart import ask_version

        settings = self.settings.sources[source]
        try:
            return ask_version(source, warehouse_of(settings), kind, settings.minutes * 60)
        except DataProblem as problem:
            return problem

    def _version_of(self, source: str, path: Path) -> SourceVersion | None:
        try:
            signature, digest = self.data.look(path)
        except OSError:
            return None
        size, mtime_ns, inode = signature.size, signature.mtime_ns, signature.inode
        return SourceVersion(source, str(path), size, mtime_ns, inode, digest)

    def keep_environment(self, template: Template) -> None:
        """Keep the names and versions behind the digest that a run's parts hold."""
        keep_environment(self.environments, self.environment(template.spec.kernel))

    def keep_template(self, template: Template) -> None:
        """Keep the template's files by their digest: an edition can be made again years later."""
        keep_template(self.kept_templates, template)

    def known_environment(self, digest: str) -> Environment | None:
        """Return the environment of a digest: one of now, or one that was kept with a run."""
        for kernel in {template.spec.kernel for template in self.templates.values()}:
            if self.environment_digest(kernel) == digest:
                return self.environment(kernel)
        return self.kept_environment(digest)
