"""Engines: each executes a run's notebook in a clean process of its own. See `interface.py`."""

from wardbook.engines.interface import Engine

__all__ = ["Engine", "open_engine"]


def open_engine(*, preload: bool = True) -> Engine:
    """Return an engine for this environment; close it when no more runs come.

    Args:
        preload: whether the libraries that most notebooks use are loaded ahead. Worth it where
            more than one run comes, and not in a job for a single one.
    """
    from wardbook.engines.warm_engine import COMMON, WarmEngine

    return WarmEngine(COMMON if preload else ())
