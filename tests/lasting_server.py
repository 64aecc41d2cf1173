"""One fork server for many engines of a test process, as a unit that serves for good has one.

A server executes nothing of a run, and whatever it forks is as clean as a fresh interpreter: so
tests that are about something else need not load the libraries anew. It is the server of the
platform, told to end when the test process is at its end instead of when a house is closed.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence

from wardbook.engines.confinement import Order
from wardbook.engines.fork_server import ForkServer, Keeper

MOST = 3
"""Servers at a time: one that loads ahead, one that does not, and one to spare."""

_guard = threading.Lock()
_servers: OrderedDict[tuple[object, ...], ForkServer] = OrderedDict()


class LastingServer:
    """What an engine holds instead of a server of its own; see `ForkServer`."""

    def __init__(self, environment: Mapping[str, str], modules: Sequence[str]) -> None:
        self._environment, self._modules = dict(environment), tuple(modules)

    def fork(self, order: Order, lock: int, log: int) -> Keeper:
        """Start a run's processes with the server of this environment, of whoever it was."""
        with _guard:
            return self._find().fork(order, lock, log)

    def close(self) -> None:
        """Leave the server to the next engine; runs that it has started go on."""

    def _find(self) -> ForkServer:
        key = (*sorted(self._environment.items()), *self._modules)
        if key not in _servers:
            _servers[key] = ForkServer(self._environment, self._modules)
        _servers.move_to_end(key)
        if len(_servers) > MOST:
            _servers.popitem(last=False)[1].close()
        return _servers[key]


def close_all() -> None:
    """End the servers."""
    with _guard:
        while _servers:
            _servers.popitem()[1].close()
