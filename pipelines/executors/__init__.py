"""Executors: each decides where and when a run's engine is called. See `interface.py`."""
