"""Watching any metric: expected values, control charts, alerts.

`series` reads a metric and names what it lacks, `expected` fits weekday and season, `charts` has
Shewhart, EWMA and CUSUM charts, `signals` makes alerts of them, `run_length` simulates how long
each chart runs without and after a change, `tables` and `figures` show it, `renames` finds codes
renamed in mid-series.
"""
