"""The laboratory's export: one line per test, with the tube and the patient it is of.

A test is sampled, received and validated (empty while it is not), asked for by a ward, of an
analysis; its result is positive, negative or, where the analysis has no such result, nothing. The
haemolysis index is that of the tube, a whole number (about mg of free haemoglobin per dl), empty
where none was taken.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date
from pathlib import Path

import pandas as pd

from wardbook.activity.clock import local_days, parse_moments
from wardbook.activity.stays import TEXT, Reach
from wardbook.datasets.sorting import Sorted, check_period
from wardbook.delimited import (
    Records,
    parse_choices,
    read_records,
    refuse_duplicates,
    refuse_values,
)
from wardbook.errors import DataProblem

TESTS = (
    *("test", "tube", "patient", "ward", "sampled", "received", "validated"),
    *("analysis", "result", "haemolysis_index", "emergency"),
)
POSITIVE, NEGATIVE = "positive", "negative"
RESULTS = (POSITIVE, NEGATIVE, "")
FLAGS = ("0", "1")
INDEX = re.compile(r"[0-9]{0,5}")


def read_tests(path: Path) -> pd.DataFrame:
    """Read an export of tests: one row per test, in the order of the file.

    Columns: test, tube, patient, ward, analysis, result ("" without), sampled, received, validated
    (UTC; NaT where not yet), haemolysis_index (missing without), emergency (truth), doubtful (one
    of the times is in the hour of a change of the clock).

    Raises:
        DataProblem: the file is not what its format promises.
    """
    records = read_records(path, [TESTS], delimiter=";")
    for column in ("test", "tube", "patient", "ward", "analysis"):
        refuse_values(records, column, lambda v: not TEXT.fullmatch(v), "text_form")
    refuse_duplicates(records, ("test",))
    expected = f"{POSITIVE}, {NEGATIVE}"
    parse_choices(records, "result", RESULTS, "choice_unknown", expected=expected)
    flags = parse_choices(records, "emergency", FLAGS, "choice_unknown", expected="0, 1")
    sampled = parse_moments(records, "sampled")
    received, validated = (parse_moments(records, n, optional=True) for n in TESTS[5:7])
    arrived = received.after(sampled.earliest)
    tests = records.frame[["test", "tube", "patient", "ward", "analysis", "result"]].assign(
        sampled=sampled.earliest,
        received=arrived,
        validated=validated.after(arrived),
        haemolysis_index=_parse_index(records),
        emergency=flags == "1",
        doubtful=sampled.doubtful | received.doubtful | validated.doubtful,
    )
    return tests.reset_index(drop=True)


def sort_out(tests: pd.DataFrame, known: Collection[str] | None, now: pd.Timestamp) -> Sorted:
    """Part the tests that can be counted from those that cannot.

    Left out are tests whose times run backwards (`reversed`), that lie after `now` (`future`) and,
    where the wards are `known`, of another (`ward`). Kept but counted: times in the hour of a
    change of the clock (`clock`), and those not validated yet (`open`).
    """
    times = tests[["sampled", "received", "validated"]]
    wrong = (times["received"] < times["sampled"]) | (times["validated"] < times["received"])
    wrong |= times["validated"] < times["sampled"]
    future = ~wrong & (times.max(axis="columns") > now)
    elsewhere = ~wrong & ~future & (False if known is None else ~tests["ward"].isin(list(known)))
    rows = tests[~(wrong | future | elsewhere)].reset_index(drop=True)
    odd = {
        "reversed": wrong.sum(),
        "future": future.sum(),
        "ward": elsewhere.sum(),
        "clock": rows["doubtful"].sum(),
        "open": rows["validated"].isna().sum(),
    }
    return Sorted(rows, {reason: int(count) for reason, count in odd.items() if count})


def find_reach(rows: pd.DataFrame, start: date, end: date, *, file: str) -> Reach:
    """Say how much of the period from `start` to `end` an export of tests covers.

    Raises:
        DataProblem: the period is reversed or longer than a year, or holds no test.
    """
    check_period(start, end)
    days = local_days(rows["sampled"])
    inside = days[(days >= pd.Timestamp(start)) & (days <= pd.Timestamp(end))]
    if inside.empty:
        raise DataProblem("period_without_data", file=file, start=str(start), end=str(end))
    reached = days.max().date()
    return Reach(min(end, reached), reached < end, bool(days.min() > pd.Timestamp(start)))


def _parse_index(records: Records) -> pd.Series[float]:
    refuse_values(records, "haemolysis_index", lambda v: not INDEX.fullmatch(v), "number_invalid")
    return pd.to_numeric(records.frame["haemolysis_index"].astype(str)).astype(float)
