"""Several requests at a time: threads that wait for servers, and processes where there are many.

Which worker takes a request does not matter: claims in the ledger keep two from taking the same.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any, TypeVar

from pipelines.house import House, read_clock
from wardbook.audit.account import Act
from wardbook.settings import Settings

_MANY = 200
"""So many requests are worth the second in which further processes start."""
_SHARE = 50
_Done = TypeVar("_Done")
Work = Callable[[House, str], _Done]


def spread(house: House, keys: Sequence[str], work: Work[_Done]) -> Iterator[_Done]:
    """Call `work` for each key, by as many workers as the settings say; yields what it returned.

    Args:
        house: this process's; each thread and each process gets one of its own.
        keys: the requests.
        work: a function of a module, so that another process finds it.
    """
    workers = min(house.settings.sync.workers, len(keys))
    processes = min(os.cpu_count() or 1, workers)
    if workers <= 1:
        yield from (work(house, key) for key in keys)
    elif len(keys) < _MANY or processes == 1 or house.now is not read_clock:
        yield from _in_threads([house.worker() for _ in range(workers)], keys, work)
    else:
        shares = [keys[start : start + _SHARE] for start in range(0, len(keys), _SHARE)]
        given = (house.settings, workers // processes, house.act)
        with ProcessPoolExecutor(processes, get_context("spawn"), _begin, given) as pool:
            for done in pool.map(_work_in_process, [work] * len(shares), shares):
                yield from done


def _in_threads(houses: Sequence[House], keys: Sequence[str], work: Work[_Done]) -> list[_Done]:
    """Work through the keys, each house in a thread of its own."""
    waiting, lock = iter(keys), threading.Lock()
    done: list[_Done] = []

    def take(house: House) -> None:
        while True:
            with lock:
                key = next(waiting, None)
            if key is None:
                return
            done.append(work(house, key))

    with ThreadPoolExecutor(len(houses), thread_name_prefix="sync") as pool:
        for taken in [pool.submit(take, house) for house in houses]:
            taken.result()
    return done


_houses: list[House] = []
"""Those of this process, kept from share to share: signing in costs calls."""


def _begin(settings: Settings, threads: int, act: Act | None) -> None:
    house = House(settings, act=act)
    _houses.extend(house.worker() for _ in range(threads))


def _work_in_process(work: Work[Any], keys: Sequence[str]) -> list[Any]:
    return _in_threads(_houses, keys, work)
