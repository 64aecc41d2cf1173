"""Engines: each executes a run's notebook in a clean process of its own. See `interface.py`."""
