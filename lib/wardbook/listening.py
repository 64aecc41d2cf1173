"""A Tornado server in a thread with an event loop of its own, beside the passes."""

from __future__ import annotations

import asyncio
import threading

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from wardbook.errors import SettingsFault


class Listening:
    """Lets a server listen from `start` to `stop`.

    Args:
        server: not listening yet.
        address: host and port.
        section: of the settings, for messages.
        caller: who calls there, for messages.
    """

    def __init__(
        self, server: HTTPServer, address: tuple[str, int], *, section: str, caller: str
    ) -> None:
        self._server = server
        self._address = address
        self._section = section
        self._caller = caller
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=section, daemon=True)

    def start(self) -> None:
        """Start listening.

        Raises:
            SettingsFault: the address cannot be listened at.
        """
        host, port = self._address
        try:
            sockets = bind_sockets(port, host)
        except OSError as error:
            self._loop.close()
            raise SettingsFault(
                f"Cannot listen for {self._caller} at {host}, port {port}: "
                f"{error.strerror or error}. Choose another `host` or `port` under "
                f"[{self._section}], or end what listens there."
            ) from None
        self._thread.start()
        self._loop.call_soon_threadsafe(self._server.add_sockets, sockets)

    def stop(self) -> None:
        """Stop listening and close every connection."""
        asyncio.run_coroutine_threadsafe(self._hang_up(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _hang_up(self) -> None:
        self._server.stop()
        await self._server.close_all_connections()
