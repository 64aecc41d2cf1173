"""The analyst's kernels: those of runs, each with the environment of its notebook's request."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager

from pipelines.bench.desk import BenchRefusal, Desk, Place
from pipelines.bench.extension import open_desk
from pipelines.bench.out_of_room import telling_no_room
from pipelines.bench.session import data_of, lay_out_session
from pipelines.bench.tries import find_place
from wardbook.domain.run import RunSpec
from wardbook.engines.scratch import build_environment, describe_kernels
from wardbook.errors import SettingsFault
from wardbook.messages import Language, say

_SECRET = re.compile(r"WARDBOOK_|.*(TOKEN|SECRET|PASSWORD|PASSPHRASE|CREDENTIAL)", re.IGNORECASE)
_SECONDS = 20.0
"""What R may take to say whether it has its kernel."""


def find_kernel_problem(name: str, language: Language) -> str:
    """Say what to install where a kernel cannot start; "" where it can."""
    if name == "python3":
        return "" if find_spec("ipykernel") else say(language, "bench.kernel_no_python")
    if name != "ir":
        return say(language, "bench.kernel_unknown", name=name)
    program = shutil.which("R")
    if program is None:
        return say(language, "bench.kernel_no_r")
    try:
        _require_irkernel(program)
    except (subprocess.SubprocessError, OSError):
        return say(language, "bench.kernel_no_irkernel")
    return ""


@cache  # of what is there: an error is not kept, for it may be mended meanwhile
def _require_irkernel(program: str) -> None:
    ask = "if (!requireNamespace('IRkernel', quietly = TRUE)) quit(status = 1)"
    subprocess.run(
        [program, "--vanilla", "--slave", "-e", ask],
        env={"PATH": os.environ.get("PATH", ""), "R_LIBS_USER": "NULL", "LC_ALL": "C.UTF-8"},
        check=True,
        capture_output=True,
        timeout=_SECONDS,
    )


def _require_kernel(place: Place, name: str | None) -> None:
    """Stop before JupyterLab says of a missing program only that a file is not there.

    Raises:
        BenchRefusal: it is one of ours, and something is to be installed for it.
    """
    problem = find_kernel_problem(name, place.desk.language) if name in ("python3", "ir") else ""
    if problem:
        raise BenchRefusal(problem)


def environment_without_secrets(parent: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a kernel that belongs to no request."""
    return {name: value for name, value in parent.items() if not _SECRET.match(name)}


def environment_of(place: Place) -> dict[str, str]:
    """Lay out a request's session as it stands on the disk now; return its kernels' environment.

    Raises:
        BenchRefusal: there is nothing to work on, or the disk is full.
    """
    with telling_no_room(place.desk), place.desk.open_house() as house:
        lay_out_session(house, place, None, data_of(place))
    return build_environment(place.session, RunSpec.read(place.session), os.environ, Path.cwd())


class BenchKernelManager(AsyncMappingKernelManager):
    """Starts the kernels of runs, on the desk that the server's environment describes."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]
        self.desk: Desk | None = None
        self._places: dict[str, Place] = {}
        try:
            self.use_desk(open_desk(os.environ))
        except SettingsFault as fault:  # the panel says so too; other notebooks have their kernels
            self.log.error("%s", fault)

    def use_desk(self, desk: Desk) -> None:
        """Serve this desk: kernels are described as production's engine describes them."""
        self.desk = desk
        folder = desk.private / "kernels"
        shutil.rmtree(folder, ignore_errors=True)
        describe_kernels(folder)
        specs: Any = self.kernel_spec_manager
        specs.kernel_dirs.insert(0, str(folder))

    def place_of(self, path: str) -> Place | None:
        """Return the request or try whose folder a kernel of this path works in, if any."""
        if self.desk is None:
            return None
        there = Path(self.root_dir, path.strip("/")).resolve()
        try:
            parts = there.relative_to(self.desk.folder.resolve()).parts
            if not parts:
                return None
            is_try = parts[0] == "try" and len(parts) > 1
            place = find_place(self.desk, f"try-{parts[1]}" if is_try else parts[0])
        except (ValueError, BenchRefusal):
            return None
        return place if there.is_relative_to(place.folder.resolve()) else None

    async def _async_start_kernel(
        self, *, kernel_id: str | None = None, path: Any = None, **options: Any
    ) -> str:
        known = kernel_id is not None and kernel_id in self
        place = None if path is None else self.place_of(str(path))
        if not known:
            if place is not None:
                await asyncio.to_thread(_require_kernel, place, options.get("kernel_name"))
            options["env"] = await self._environment(place, options.get("env"))
        started = await super()._async_start_kernel(kernel_id=kernel_id, path=path, **options)
        if place is not None:
            self._places[started] = place
        return str(started)

    start_kernel = _async_start_kernel  # type: ignore[assignment]  # as its base does

    async def _async_restart_kernel(self, kernel_id: str, now: bool = False) -> None:
        place = self._places.get(kernel_id)
        if place is not None:  # parameters may have changed on the disk
            await asyncio.to_thread(environment_of, place)
        await super()._async_restart_kernel(kernel_id, now=now)  # type: ignore[no-untyped-call]

    restart_kernel = _async_restart_kernel  # type: ignore[assignment]

    async def _environment(
        self, place: Place | None, asked: Mapping[str, str] | None
    ) -> dict[str, str]:
        if place is None:
            return environment_without_secrets(os.environ if asked is None else asked)
        return await asyncio.to_thread(environment_of, place)
