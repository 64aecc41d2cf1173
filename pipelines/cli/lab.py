"""`wardbook lab`: the analyst's bench, a request open in JupyterLab."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import cast

import click

from pipelines.bench.desk import Desk
from pipelines.cli.main import Context
from pipelines.cli.plain import harmless
from pipelines.cli.terminal import working
from wardbook.messages import LANGUAGES, Language, say


@click.command()
@click.argument("key", required=False)
@click.option("--open", "browse", is_flag=True, help="Open it in the browser of this machine.")
@click.option("--on", type=click.Choice(["slurm"]), help="Run JupyterLab in a job of the cluster.")
@click.option(
    "--time",
    "hours",
    type=click.IntRange(1, 24 * 14),
    default=8,
    show_default=True,
    help="Hours that the job may take.",
)
@click.option(
    "--memory",
    "memory_mb",
    type=click.IntRange(500),
    default=4000,
    show_default=True,
    help="MB of memory of the job.",
)
@click.option("--stop", is_flag=True, help="End the bench that runs here, or its job.")
@click.option("--list", "listed", is_flag=True, help="Tell what runs.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where requests lie; by default that of [bench].",
)
@click.option("--language", type=click.Choice(LANGUAGES), help="By default the unit's.")
@click.pass_obj
def lab(
    context: Context,
    key: str | None,
    browse: bool,
    on: str | None,
    hours: int,
    memory_mb: int,
    stop: bool,
    listed: bool,
    folder: Path | None,
    language: str | None,
) -> int:
    """Open the request KEY in JupyterLab, with the data, engine and checks of production.

    Clones or updates the request's branch, starts JupyterLab on this machine's loopback, or finds
    the one that runs, and prints the address to open: it holds the key to your bench, so keep it
    to yourself. JupyterLab goes on when you log out; --stop ends it. Through SSH, the tunnel to
    open on your own computer is printed too.

    With --on slurm JupyterLab runs in a job, which listens on its node's loopback only: the unit
    must let you log in by SSH to the node on which a job of yours runs (pam_slurm_adopt).
    """
    desk = _make_desk(context, folder, language)
    if listed:
        return _list(desk)
    if stop:
        return _stop(desk, on)
    environment = {
        "WARDBOOK_SETTINGS": str(context.file.resolve()),
        "WARDBOOK_LANGUAGE": desk.language,
        "WARDBOOK_BENCH": str(desk.folder),
    }
    if on is None:
        url = _start_here(desk, key, environment)
    else:
        url = _start_on_slurm(desk, key, environment, hours, memory_mb)
    click.echo(url)
    if browse:
        from pipelines.bench.launch import open_browser

        open_browser(desk, url)
    return 0


def _make_desk(context: Context, folder: Path | None, language: str | None) -> Desk:
    settings = context.settings()
    chosen = (folder or settings.bench.folder).expanduser().resolve()
    bench = settings.bench.model_copy(update={"folder": chosen})
    spoken = cast(Language, language or settings.unit.language)
    return Desk(settings.model_copy(update={"bench": bench}), spoken, context.act)


def _start_here(desk: Desk, key: str | None, environment: dict[str, str]) -> str:
    from pipelines.bench.launch import Lab, ensure_running, open_request

    with working(key or "JupyterLab"):
        if key:
            lab = open_request(desk, key, environment)
        else:
            lab = Lab(*ensure_running(desk, environment))
    _warn(lab.warnings)
    code = "launch_started" if lab.started else "launch_found"
    click.echo(say(desk.language, f"bench.{code}"), err=True)
    running = lab.running
    if "SSH_CONNECTION" in os.environ:
        way = f"{getpass.getuser()}@{socket.gethostname()}"
        _tell_tunnel(desk, f"ssh -N -L {running.port}:127.0.0.1:{running.port} {way}")
    return running.url(lab.path)


def _start_on_slurm(
    desk: Desk, key: str | None, environment: dict[str, str], hours: int, memory_mb: int
) -> str:
    from pipelines.bench.launch import opening
    from pipelines.bench.on_slurm import Asked, Bench
    from pipelines.bench.running import make_url

    bench, path = Bench(desk), ""
    if key:
        with working(key), opening(desk) as counter:
            opened = counter.lay_open(key)
        _warn(opened.warnings)
        path = opened.path
    with working("Slurm"):
        found = bench.open(
            Asked(hours, memory_mb), environment, lambda line: click.echo(line, err=True)
        )
    user = getpass.getuser()
    hops = f"-J {user}@{socket.gethostname()} -L {found.port}:127.0.0.1:{found.port}"
    _tell_tunnel(desk, f"ssh -N {hops} {user}@{found.node}")
    return make_url(found.port, found.token, path)


def _warn(warnings: Iterable[str]) -> None:
    for warning in warnings:
        click.echo(harmless(warning), err=True)


def _tell_tunnel(desk: Desk, command: str) -> None:
    click.echo(say(desk.language, "bench.launch_tunnel", command=command))


def _stop(desk: Desk, on: str | None) -> int:
    if on is None:
        from pipelines.bench.jupyter import berth_here
        from pipelines.bench.running import end

        ended = end(berth_here(desk))
    else:
        from pipelines.bench.on_slurm import Bench

        ended = Bench(desk).cancel()
    code = "launch_stopped" if ended else "launch_none"
    click.echo(say(desk.language, f"bench.{code}", folder=desk.folder))
    return 0


def _list(desk: Desk) -> int:
    from pipelines.bench.launch import tell_running

    lines = list(tell_running(desk))
    for line in lines or [say(desk.language, "bench.launch_none")]:
        click.echo(harmless(line))
    return 0
