"""What the bench's JupyterLab finds when it starts: its folders, settings and environment."""

from __future__ import annotations

import errno
import importlib.util
import json
import os
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipelines.bench.desk import Desk
from pipelines.bench.running import LOOPBACK, Berth
from wardbook.errors import EnvironmentFault
from wardbook.files import write_atomically
from wardbook.messages import Language, say
from wardbook.shipped import shipped_folder

OWN = "jupyter"
_LOCALES: dict[Language, str] = {"en": "en", "fr": "fr_FR"}
EXTENSION = "pipelines.bench.extension"
KERNELS = "pipelines.bench.kernels"
Config = dict[str, dict[str, Any]]


def own_folder(desk: Desk) -> Path:
    """Return where JupyterLab's own files lie."""
    return desk.private / OWN


def berth_here(desk: Desk) -> Berth:
    """Return the place of this machine's server: the folder may be shared by several machines."""
    host = re.sub(r"[^A-Za-z0-9.-]", "_", socket.gethostname())
    return Berth(own_folder(desk) / f"on-{host}")


def prepare(desk: Desk, berth: Berth) -> None:
    """Make the folders that a server needs, closed to others.

    Raises:
        EnvironmentFault: JupyterLab is not installed.
        OSError: they cannot be written.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise EnvironmentFault(say(desk.language, "bench.launch_no_jupyterlab"))
    own = own_folder(desk)
    desk.private.mkdir(parents=True, exist_ok=True, mode=0o700)
    desk.private.chmod(0o700)
    berth.lay_out()
    for name in ("config/labconfig", "data", "ipython"):
        (own / name).mkdir(parents=True, exist_ok=True, mode=0o700)
    page = {
        # Both would ask servers outside: for news, and for packages.
        "disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True},
        "buildAvailable": False,
        "buildCheck": False,
    }
    write_atomically(own / "config/labconfig/page_config.json", json.dumps(page))
    # Until the analyst chooses another in JupyterLab's own settings.
    settings = {"@jupyterlab/translation-extension:plugin": {"locale": _LOCALES[desk.language]}}
    chosen = own / "config/labconfig/default_setting_overrides.json"
    write_atomically(chosen, json.dumps(settings))


def write_config(desk: Desk, berth: Berth, token: str) -> None:
    """Write the server's settings; see `build_config`."""
    write_atomically(berth.config, json.dumps(build_config(desk, token), indent=1))


def build_config(desk: Desk, token: str) -> Config:
    """Return the settings of the server: ours, on loopback, closed, and calling nobody outside."""
    address = desk.settings.bench.address
    names = {"localhost", *filter(None, [urlsplit(str(address)).hostname if address else None])}
    server: dict[str, Any] = {
        "ip": LOOPBACK,
        "port_retries": 0,
        "open_browser": False,
        "no_browser_open_file": True,
        "root_dir": str(desk.folder),
        "local_hostnames": sorted(names),
        "disable_check_xsrf": False,
        "terminals_enabled": True,
        "allow_root": True,
        "jpserver_extensions": {EXTENSION: True} if _is_there(EXTENSION) else {},
    }
    if _is_there(KERNELS):
        server["kernel_manager_class"] = f"{KERNELS}.BenchKernelManager"
    lab: dict[str, Any] = {
        "news_url": None,
        "check_for_updates_class": "jupyterlab.handlers.announcements.NeverCheckForUpdate",
        "extension_manager": "readonly",
    }
    if panel := find_panel():
        lab["extra_labextensions_path"] = [str(panel)]
    return {
        "ServerApp": server,
        "IdentityProvider": {"token": token},
        # A file in the account's waste basket would be a copy outside the secure side.
        "FileContentsManager": {"allow_hidden": True, "delete_to_trash": False},
        "AsyncFileContentsManager": {"allow_hidden": True, "delete_to_trash": False},
        "LabApp": lab,
    }


def find_panel() -> Path | None:
    """Return the folder of our extension of JupyterLab, or None where it was not built."""
    try:
        return shipped_folder("labextension")
    except FileNotFoundError:
        return None


def _is_there(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def build_environment(own: Path, berth: Berth, given: Mapping[str, str]) -> dict[str, str]:
    """Return the server's environment: Jupyter's folders are the bench's, not the account's."""
    kept = {n: v for n, v in os.environ.items() if not n.startswith("JUPYTER") or n == _KERNELS}
    return {
        **kept,
        **given,
        "JUPYTER_CONFIG_DIR": str(own / "config"),
        "JUPYTER_DATA_DIR": str(own / "data"),
        "JUPYTER_RUNTIME_DIR": str(berth.runtime),
        # IPython keeps what was typed into cells.
        "IPYTHONDIR": str(own / "ipython"),
    }


_KERNELS = "JUPYTER_PATH"
"""Where a unit keeps kernels that are not installed beside Python."""


@contextmanager
def tell_disk(desk: Desk) -> Iterator[None]:
    """Tell in one sentence that the bench's folder is full, or may not be written.

    Raises:
        EnvironmentFault: it is.
    """
    try:
        yield
    except OSError as error:
        code = _TROUBLES.get(error.errno or 0)
        if code is None:
            raise
        told = say(desk.language, f"bench.{code}", folder=desk.folder, reason=error.strerror)
        raise EnvironmentFault(told) from None


_CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)
_TROUBLES = dict.fromkeys(_CLOSED, "launch_not_writable") | dict.fromkeys(
    (errno.ENOSPC, errno.EDQUOT), "launch_full"
)
