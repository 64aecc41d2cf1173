"""The bench in jupyter_server: `jupyter server extension list` shows it, JupyterLab loads it.

Read from the environment: WARDBOOK_SETTINGS, the file of the unit's settings; WARDBOOK_LANGUAGE,
the analyst's, where it is not the unit's; WARDBOOK_BENCH, the folder, where it is not that of the
settings. Secrets are read as everywhere: WARDBOOK_GITLAB_TOKEN is the analyst's own.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pipelines.bench.counter import Counter
from pipelines.bench.desk import Desk
from wardbook.audit.account import Act
from wardbook.errors import SettingsFault
from wardbook.identifiers.masking import install_masking
from wardbook.messages import Language, say
from wardbook.settings import load_settings


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "pipelines.bench.extension"}]


def _load_jupyter_server_extension(server: Any) -> None:
    install_masking()
    add_handlers(server, os.environ)


def add_handlers(server: Any, environ: Mapping[str, str]) -> None:
    """Add the panel's addresses to a server."""
    from pipelines.bench.desktop import Desktop
    from pipelines.bench.handlers import routes

    base = server.web_app.settings["base_url"]
    kept = _Kept(environ, Path(server.root_dir), base)
    desktop = Desktop(kept.open, kept.language)
    atexit.register(kept.close)
    # After the first answer, for which the command waits.
    server.io_loop.call_later(1.0, desktop.warm_up)
    server.web_app.add_handlers(".*$", routes(desktop, base))


def open_desk(environ: Mapping[str, str]) -> Desk:
    """Return the desk that the environment describes.

    Raises:
        SettingsFault: it names no settings, or they cannot be used.
    """
    named = environ.get("WARDBOOK_SETTINGS")
    if not named:
        raise SettingsFault(say(_language(environ, "fr"), "bench.server_no_settings"))
    settings = load_settings(Path(named), environ)
    if environ.get("WARDBOOK_BENCH"):
        bench = settings.bench.model_copy(update={"folder": Path(environ["WARDBOOK_BENCH"])})
        settings = settings.model_copy(update={"bench": bench})
    return Desk(settings, _language(environ, settings.unit.language), Act.of("lab"))


def _language(environ: Mapping[str, str], default: Language) -> Language:
    wanted = environ.get("WARDBOOK_LANGUAGE")
    return next((one for one in get_args(Language) if one == wanted), default)


class _Kept:
    """The counter, opened by the first question; one that could not be opened is tried again."""

    def __init__(self, environ: Mapping[str, str], root: Path, base: str) -> None:
        self._environ, self._root, self._base = environ, root, base
        self._counter: Counter | None = None
        self._guard = threading.Lock()

    def open(self) -> Counter:
        """Return the counter."""
        with self._guard:
            if self._counter is None:
                self._counter = Counter(open_desk(self._environ), self._root, self._base)
            return self._counter

    def language(self) -> Language:
        """Return the desk's language; before the settings are read, what the environment says."""
        if self._counter is not None:
            return self._counter.desk.language
        return _language(self._environ, "fr")

    def close(self) -> None:
        """Close it, where it was opened."""
        with self._guard:
            if self._counter is not None:
                self._counter.close()
