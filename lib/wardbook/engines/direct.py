"""A notebook executed in this very process, by a shell that shows its outputs to us directly."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tornado.ioloop import IOLoop

from wardbook.engines import statuses
from wardbook.engines.folding import Folding, Journal, format_notebook, read_notebook
from wardbook.engines.shell import WirelessKernel
from wardbook.engines.statuses import leave


class Execution:
    """One notebook on its way through one kernel."""

    def __init__(self, kernel: WirelessKernel, notebook: Path, journal: Path) -> None:
        self._app = kernel
        self._folding = Folding(read_notebook(notebook))
        self._journal = Journal(journal)
        self._reply: Mapping[str, Any] = {}
        kernel.sink = self._take

    def run(self) -> int:
        """Execute the cells up to the first failure; returns a status of `statuses`."""
        return asyncio.run(self._run())

    def write(self, file: Path) -> None:
        """Write the notebook as it is now."""
        notebook = self._folding.notebook
        notebook.metadata["language_info"] = self._app.kernel.language_info
        file.write_text(format_notebook(notebook), encoding="utf-8", errors="surrogateescape")

    async def _run(self) -> int:
        self._app.kernel.io_loop = IOLoop.current()
        for index, cell in enumerate(self._folding.notebook.cells):
            if cell.cell_type != "code" or not cell.source.strip():
                continue
            await self._execute(index, cell.source, cell.get("id"))
            may_fail = "raises-exception" in cell.metadata.get("tags", [])
            if self._reply["status"] == "error" and not may_fail:
                self._folding.mark_failed()
                return statuses.CELL_FAILED
        return statuses.ENDED

    async def _execute(self, index: int, source: str, identity: str | None) -> None:
        content = {
            "code": source,
            "silent": False,
            "store_history": True,
            "allow_stdin": False,
            "stop_on_error": False,  # there is no queue behind this request
        }
        request = self._app.session.msg("execute_request", content, metadata={"cellId": identity})
        self._journal.begin(index, request["msg_id"])
        self._folding.begin(index, request["msg_id"])
        kernel = self._app.kernel
        kernel.set_parent([], request)
        kernel.pre_handler_hook()
        try:
            await kernel.execute_request(self._app.shell_channel, [], request)
        finally:
            kernel.post_handler_hook()
        # As on a wire, tasks that a cell has started get their turn before the next cell does.
        await asyncio.sleep(0)

    def _take(self, channel: str, message: Mapping[str, Any]) -> None:
        if message["msg_type"].startswith("comm"):
            leave(statuses.HAND_OVER)  # widgets talk to a front end: a whole kernel is needed
        if channel == "iopub":
            self._journal.take(message)
            try:
                self._folding.take(message)
            except Exception:
                leave(statuses.HAND_OVER)  # nbclient cannot fold it: papermill shall say so itself
        elif message["msg_type"] == "execute_reply":
            self._reply = message["content"]
