"""JupyterLab with the bench's own extension, as a browser finds it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench_world import BenchWorld

from pipelines.bench.jupyter import find_panel
from pipelines.bench.launch import berth_here, ensure_running
from pipelines.bench.running import end
from tests.browser import PATIENCE
from wardbook.messages import Language

BUILT = find_panel() is not None


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab: where it is, and its token."""

    url: str
    token: str

    def open(self, page: Any, key: str = "") -> None:
        """Show a request's notebook, as the link on its issue does; or JupyterLab, as it begins."""
        page.set_default_timeout(PATIENCE)
        path = f"wardbook/open?request={key}&" if key else "lab?reset&"
        page.goto(f"{self.url}{path}token={self.token}")
        page.locator(".wb-panel-content").wait_for(state="attached")
        if key:
            page.locator(f'.wb-panel[aria-label] h2:has-text("{key}")').wait_for(state="attached")
            page.locator(".wb-data").wait_for(state="attached")

    def choose_theme(self, page: Any, name: str) -> None:
        """Have pages that are opened from now on come in a theme."""
        done = page.request.put(
            f"{self.url}lab/api/settings/@jupyterlab/apputils-extension:themes",
            headers={"Authorization": f"token {self.token}"},
            data={"raw": f'{{"theme": "{name}"}}'},
        )
        assert done.ok, done.status


@contextmanager
def open_lab(bench_world: BenchWorld, folder: Path, language: Language) -> Iterator[Lab]:
    """Start the analyst's JupyterLab over a folder, as `wardbook lab` does."""
    desk = bench_world.desk(folder, language)
    own = {"WARDBOOK_LANGUAGE": language, "WARDBOOK_BENCH": str(folder)}
    try:
        running, _ = ensure_running(desk, bench_world.environment() | own)
        yield Lab(f"http://127.0.0.1:{running.port}/", running.token)
    finally:
        end(berth_here(desk))
