"""Metrics: tables with a time that live on in a database, for dashboards to read."""
