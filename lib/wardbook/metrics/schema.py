"""The form of a metric's table: what dashboards ask, and what runs write.

A template's output with `channel = "grafana"` has one table of its own in the metrics database:

    time          the beginning of the period that a row is about, with time zone
    DIMENSION     text, one column for each other dimension that the output declares
    MEASURE       double precision, one for each column that counts or measures; null where the
                  disclosure rules withheld it
    request, run  whose row it is: the latest release of a request replaces its rows of a period

Labels of codes are not kept: a dashboard's words come from the template.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import Column, DateTime, Double, MetaData, String, Table

from wardbook.template.outputs import OutputSpec

TIME, REQUEST, RUN = "time", "request", "run"
LONGEST_NAME = 63
"""Bytes of a name in PostgreSQL; a longer one would be cut off without a word."""


def table_name(template: str, output: str) -> str:
    """Return the name of a metric's table; a name that is too long ends in its digest."""
    name = f"{template}_{output}"
    if len(name) <= LONGEST_NAME:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: LONGEST_NAME - 9]}_{digest}"


def metric_dimensions(declared: OutputSpec) -> tuple[str, ...]:
    """Return the dimensions of a metric but for its time, in their order."""
    return tuple(name for name in declared.dimensions if name != declared.time)


def metric_table(metadata: MetaData, template: str, output: str, declared: OutputSpec) -> Table:
    """Return the table of a metric.

    Args:
        metadata: takes it in.
        template, output: their names.
        declared: the output, with `channel = "grafana"`.
    """
    return Table(
        table_name(template, output),
        metadata,
        Column(REQUEST, String(64), primary_key=True),
        Column(TIME, DateTime(timezone=True), primary_key=True),
        *(Column(name, String(200), primary_key=True) for name in metric_dimensions(declared)),
        *(Column(name, Double) for name in declared.measured_columns),
        Column(RUN, String(128), nullable=False),
    )
