"""The doctor: is everything there that the platform needs, and if not, what is to be done?"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines.house import House
from pipelines.shared_folder import require_mounted
from wardbook.engines.fence import has_fence
from wardbook.errors import WardbookError
from wardbook.settings import SlurmSettings, SourceSettings


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `advice` says what to do when it is not well.

    `grave` is False where the platform does its work all the same: that is a warning.
    """

    subject: str
    well: bool
    advice: str = ""
    grave: bool = True


def examine(house: House) -> Iterator[Finding]:
    """Look at every server, key, executor and data source; yields what was found, in turn."""
    for subject, look in _EXAMINATIONS.items():
        try:
            yield from look(house)
        except WardbookError as error:
            yield Finding(subject, False, str(error))


def _look_at_ledger(house: House) -> Iterator[Finding]:
    counts = house.ledger.counts()
    yield Finding(f"ledger ({sum(counts.values())} requests)", True)


def _look_at_policies(house: House) -> Iterator[Finding]:
    for service in house.settings.services:
        for template in house.templates.values():
            house.policy_for(service, template)
    yield Finding(f"disclosure policy {house.settings.disclosure.policy}", True)


def _look_at_jira(house: House) -> Iterator[Finding]:
    known = house.jira.field_names()
    yield Finding(f"Jira account {house.jira.account} ({house.jira.time_zone})", True)
    for name, identity in house.settings.jira.fields.model_dump(exclude_none=True).items():
        yield Finding(
            f"Jira field {name} = {identity}",
            identity in known,
            f"Jira has no field {identity}. Put the right id into [jira.fields]; there are: "
            + ", ".join(f"{i} ({n})" for i, n in sorted(known.items()) if i.startswith("custom")),
        )


def _look_at_create_screen(house: House) -> Iterator[Finding]:
    from requests_sync.create_screen import read_create_screen, write_create_section

    settings = house.settings.jira
    found = read_create_screen(house.jira, settings.fields)
    if found is None:
        advice = "No issue type's create screen shows all of [jira.fields]. Add the fields to one."
        yield Finding("Jira's create screen", False, advice, grave=False)
        return
    iso_days = settings.create is not None and settings.create.iso_days
    yield Finding(
        "Jira's create screen, for the forms' links",
        settings.create == found.model_copy(update={"iso_days": iso_days}),
        "The forms of the site link to it, filled in, with these lines in the settings "
        f"(docs/form.md):\n{write_create_section(found)}",
        grave=False,
    )


def _look_at_gitlab(house: House) -> Iterator[Finding]:
    yield Finding(f"GitLab account {house.gitlab.account}", True)
    for name, service in house.settings.services.items():
        branch = house.settings.gitlab.branch
        try:
            head = house.gitlab.branch_head(service.project, branch)
        except WardbookError as error:
            yield Finding(f"service {name}", False, str(error))
            continue
        yield Finding(
            f"service {name} → {service.project}",
            head is not None,
            f"The project or its branch {branch} is not there. Create it, or let our account in.",
        )


def _look_at_templates(house: House) -> Iterator[Finding]:
    from jupyter_client.kernelspec import KernelSpecManager

    kernels = KernelSpecManager().find_kernel_specs()
    for name, template in house.templates.items():
        yield Finding(
            f"template {name} (kernel {template.spec.kernel})",
            template.spec.kernel in kernels,
            f"No kernel {template.spec.kernel} is installed; there are: {', '.join(kernels)}.",
        )
    for name, approval in house.settings.standing_approvals.items():
        yield Finding(
            f"standing approval of {name} until {approval.until}",
            not approval.revoked and house.today <= approval.until,
            "It has run out or was revoked: its reports wait for a review. "
            "`wardbook approvals` says more.",
        )


def _look_at_sources(house: House) -> Iterator[Finding]:
    for name, source in house.settings.sources.items():
        if source.is_database:
            yield _open_database(name, source)
        elif source.path:
            yield Finding(
                _name(name, source),
                source.path.is_file() and os.access(source.path, os.R_OK),
                f"{source.path} is not a file that we can read. Mend `path` or its rights.",
            )


def _open_database(name: str, source: SourceSettings) -> Finding:
    from pipelines.sources import open_database

    try:
        open_database(name, source)
    except WardbookError as problem:
        return Finding(_name(name, source), False, str(problem))
    return Finding(_name(name, source), True)


def _name(name: str, source: SourceSettings) -> str:
    return f"source {name} ({source.kind}, {source.sensitivity})"


def _look_at_keys(house: House) -> Iterator[Finding]:
    from pipelines.recipients import directory_name
    from wardbook.domain.pinned import Trust
    from wardbook.seal import Fingerprint, choose_recipient_key

    seal = house.settings.seal
    yield Finding(f"GnuPG {house.keyring.gnupg_version}", True)
    house.keyring.export_public(Fingerprint(seal.signer))
    yield Finding(f"signing key {seal.signer}", True)
    confirmed = {
        key.person: key.fingerprint
        for key in house.ledger.all_keys()
        if key.trust is Trust.CONFIRMED
    }
    for username, pinned in (confirmed | dict(seal.recipients)).items():
        keys = house.gitlab.gpg_keys(directory_name(house, username))
        try:
            choose_recipient_key(keys, Fingerprint(pinned), house.keyring, house.now())
        except WardbookError as error:
            yield Finding(f"key of {username}", False, str(error))
        else:
            yield Finding(f"key of {username}", True)


def _look_at_metrics(house: House) -> Iterator[Finding]:
    from sqlalchemy import MetaData

    from wardbook.domain.output import Channel
    from wardbook.metrics.database import MetricChanged, refuse_changed
    from wardbook.metrics.schema import metric_table

    with house.open_metrics() as database, database.reading() as connection:
        for template in house.templates.values():
            for name, declared in template.spec.outputs.items():
                if declared.channel is Channel.GRAFANA:
                    table = metric_table(MetaData(), template.spec.name, name, declared)
                    try:
                        refuse_changed(connection, table)
                    except MetricChanged as changed:
                        yield Finding(f"metric {table.name}", False, str(changed))
    yield Finding("metrics' database", True)


def _look_at_audit(house: House) -> Iterator[Finding]:
    audit, state = house.settings.audit, house.settings.unit.state.resolve()
    inside = audit.heads is not None and audit.heads.resolve().is_relative_to(state)
    yield Finding(
        "signed heads of the audit log, copied elsewhere",
        bool(audit.project) or (audit.heads is not None and not inside),
        "Nobody could tell a log whose end was cut off, or that was written anew. Put into [audit] "
        "`heads`, a folder on another machine, or `project`, a GitLab project with a protected "
        f"branch: where nobody may write who may write to {state}. docs/security.md says more.",
        grave=False,
    )


def _look_at_folders(house: House) -> Iterator[Finding]:
    settings = house.settings
    folders = {"state": settings.unit.state, "site": settings.site.folder}
    folders["share"] = settings.share.folder
    for name, folder in folders.items():
        nearest = _nearest_existing(folder)
        yield Finding(
            f"folder of the {name}",
            os.access(nearest, os.W_OK),
            f"We may not write to {nearest}. Give our account the right, or name another folder.",
        )
    if settings.share.marker:
        require_mounted(settings.share)
        yield Finding(f"share is mounted ({settings.share.marker})", True)


def _nearest_existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.parents) if place.exists())


def _look_at_mail(house: House) -> Iterator[Finding]:
    from wardbook.mail import open_server

    mail = house.settings.mail
    if mail is not None:
        with open_server(mail):
            yield Finding(f"mail server {mail.host}:{mail.port} ({mail.security})", True)


def _look_at_executor(house: House) -> Iterator[Finding]:
    chosen = house.settings.executor
    if chosen.kind == "slurm":
        yield from _look_at_slurm(chosen)
        return
    if chosen.address is None:
        yield Finding(f"executor {chosen.kind}, {chosen.workers} worker(s) on this machine", True)
        return
    from distributed import Client

    try:
        with Client(chosen.address, timeout="5s") as client:
            workers = len(client.scheduler_info()["workers"])
    except OSError as error:
        reason = type(error).__name__
        yield Finding("executor", False, f"{chosen.address} does not answer ({reason}).")
    else:
        yield Finding(f"executor at {chosen.address}", workers > 0, "It has no workers.")


def _look_at_fence(_: House) -> Iterator[Finding]:
    yield Finding(
        "Landlock, which fences notebooks in",
        has_fence(),
        "This kernel has none: a notebook can read whatever this account can. Use Linux 5.13 or "
        "later, with landlock among its security modules (lsm=landlock,…).",
    )


def _look_at_bench(house: House) -> Iterator[Finding]:
    from importlib.util import find_spec

    from pipelines.bench.jupyter import find_panel

    yield Finding(
        "JupyterLab, for `wardbook lab`",
        find_spec("jupyterlab") is not None,
        "It is not installed beside Wardbook: pip install jupyterlab.",
        grave=False,
    )
    yield Finding(
        "JupyterLab's panel of the bench",
        find_panel() is not None,
        "It did not come with this installation: build it (docs/bench.md). Without it JupyterLab "
        "opens requests and shows nothing of them.",
        grave=False,
    )
    bench = house.settings.bench.folder.resolve()
    public = {"site": house.settings.site.folder, "share": house.settings.share.folder}
    seen = [name for name, folder in public.items() if _overlap(bench, folder.resolve())]
    yield Finding(
        f"folder of the bench ({bench})",
        not seen,
        f"It and the folder of the {' and the '.join(seen)} lie in each other, and it holds runs "
        "and extracts of data. Put `folder` of [bench] on the secure side.",
    )


def _overlap(one: Path, other: Path) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)


def _look_at_slurm(chosen: SlurmSettings) -> Iterator[Finding]:
    from pipelines.executors.slurm.commands import SlurmCommands
    from pipelines.executors.slurm.queue import build_squeue, parse_squeue

    jobs = parse_squeue(SlurmCommands(chosen.conf).run(build_squeue()))
    yield Finding(f"executor slurm, {len(jobs)} job(s) of ours in its queue", True)


_EXAMINATIONS: dict[str, Callable[[House], Iterator[Finding]]] = {
    "ledger": _look_at_ledger,
    "policies": _look_at_policies,
    "Jira": _look_at_jira,
    "Jira's create screen": _look_at_create_screen,
    "GitLab": _look_at_gitlab,
    "templates": _look_at_templates,
    "sources": _look_at_sources,
    "keys": _look_at_keys,
    "metrics": _look_at_metrics,
    "audit": _look_at_audit,
    "folders": _look_at_folders,
    "mail": _look_at_mail,
    "executor": _look_at_executor,
    "fence": _look_at_fence,
    "bench": _look_at_bench,
}
