"""R's side of the library and Python's: the same values in, the same bytes out."""

from __future__ import annotations

import json
import math
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from r_side import ask_r, require_r
from trial_runs import encode, make_run, make_template

import wardbook as wb
from wardbook.errors import DataProblem
from wardbook.notebook.given import marked_text
from wardbook.notebook.index import read_index

pytestmark = pytest.mark.r
# Each example is a process of R: none is spent on shrinking.
few = settings(max_examples=4, deadline=None, phases=[Phase.explicit, Phase.generate])
LOCALES = pytest.mark.parametrize("locale", ["C.UTF-8", "C"])

HOSTILE_TEXTS = [
    *("", " ", "NA", "NULL", "TRUE", "1e5", "é", "e\u0301", "\u00a0", "😀", "日本語", "\ufeff"),
    *('"', "'", "\\", "\\n", "a\nb", "a\r\nb", "\t", "a,b", "{x}", "%s", "$(id)", "`id`", "\u2028"),
    *("*gras*", "<b>", "[a](b)", "\x1b[0m", "x" * 5000, "\u202e", "\x7f", "\x85"),
]
HOSTILE_FLOATS = [
    *(
        -0.0,
        0.0,
        -0.0,
        0.1,
        0.1 + 0.2,
        1.0,
        -1.5,
        1e-4,
        1e-5,
        123456789012345.6,
        1e15,
        1e16,
        1e22,
        1e23,
    ),
    *(5e-324, 2.2250738585072014e-308, 2.225073858507201e-308, 1.7976931348623157e308, 2**-44),
    *(2.0**53, 2.0**53 + 2, 1 / 3, 9.5367431640625e-07, 4.35, 0.3, 2.5e-323, 9007199254740993.0),
    *(float(2**power) for power in range(-60, 60, 7)),
]
HOSTILE_INTEGERS = [0, -1, 2**31 - 1, -(2**31), 2**31, 2**53 - 1, 1 - 2**53]
HOSTILE_DATES = [date(1, 1, 1), date(1900, 2, 28), date(2020, 2, 29), date(9999, 12, 31)]

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
# Python quotes a carriage return that stands alone from version 3.13 on, R always.
cells = texts.filter(lambda text: "\r" not in text)
floats = st.floats(allow_nan=False, allow_infinity=False)
integers = st.integers(1 - 2**53, 2**53 - 1)
scalars = st.one_of(texts, floats, integers, st.booleans(), st.dates())
values = st.one_of(
    st.none(),
    scalars,
    *(st.lists(kind | st.none(), min_size=1) for kind in (texts, floats, integers, st.dates())),
    st.lists(st.booleans() | st.none(), min_size=1),
)

TELL = """
tell <- function(value) {
  if (is.null(value)) return(NULL)
  type <- class(value)[[1]]
  texts <- switch(type, Date = format(value, "%Y-%m-%d"), numeric = sprintf("%a", value),
                  as.character(value))
  texts[is.na(value)] <- NA
  list(type = type, values = as.list(unname(texts)))
}
params <- wardbook.params()
answer(lapply(unclass(params), tell))
"""


@pytest.fixture(autouse=True, scope="module")
def with_r() -> None:
    require_r()


def corner_cases() -> dict[str, Any]:
    kinds = (HOSTILE_TEXTS, HOSTILE_FLOATS, HOSTILE_INTEGERS, HOSTILE_DATES, [True, False])
    single = [value for kind in kinds for value in kind]
    lists = [[value] for value in single]
    mixed = [list(kind) for kind in kinds] + [[None, *kind] for kind in kinds]
    more = [None, [None], [1, 0.5], [None, None]]
    return {f"v{at}": value for at, value in enumerate([*single, *lists, *mixed, *more])}


def expect(value: Any) -> Any:
    """Return what R is to tell of a Python value."""
    if value is None:
        return None
    found = value if isinstance(value, list) else [value]
    kinds = {type(one) for one in found if one is not None}
    if kinds == {int} and all(one is None or abs(one) < 2**31 for one in found):
        return {"type": "integer", "values": [None if v is None else str(v) for v in found]}
    if kinds and kinds <= {int, float}:
        return {"type": "numeric", "values": [None if v is None else float(v) for v in found]}
    if kinds == {date}:
        return {"type": "Date", "values": [v and f"{v:%Y-%m-%d}".rjust(10, "0") for v in found]}
    if kinds == {str}:
        return {"type": "character", "values": found}
    return {"type": "logical", "values": [None if v is None else str(v).upper() for v in found]}


def read_told(told: Any) -> Any:
    if told is not None and told["type"] == "numeric":
        return told | {"values": [v and float.fromhex(v) for v in told["values"]]}
    if told is not None and told["type"] == "Date":
        # R writes a year below 1000 without its zeros.
        return told | {"values": [v and v.rjust(10, "0") for v in told["values"]]}
    return told


def signed(value: Any) -> Any:
    """Make -0.0 and 0.0 differ, also inside."""
    if isinstance(value, float):
        return (math.copysign(1, value), value)
    if isinstance(value, list):
        return [signed(one) for one in value]
    return {k: signed(v) for k, v in value.items()} if isinstance(value, dict) else value


def compare_values(given: dict[str, Any], folder: Path, locale: str) -> None:
    run = make_run(folder, "run", parameters=given)
    assert encode(given["v0"]) == json.loads((run / "spec.json").read_text())["parameters"]["v0"]
    told = ask_r(TELL, folder, run=run, locale=locale)
    assert set(told) == set(given)
    for name, value in given.items():
        assert signed(read_told(told[name])) == signed(expect(value)), (name, value)


@LOCALES
def test_parameters_are_the_same_values_in_r(tmp_path: Path, locale: str) -> None:
    compare_values(corner_cases(), tmp_path, locale)


@few
@given(many=st.lists(values, min_size=30, max_size=60))
def test_any_parameters_are_the_same_values_in_r(many: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        compare_values({f"v{at}": v for at, v in enumerate(many)}, Path(folder), "C")


def test_the_comparison_of_values_finds_one_bit() -> None:
    assert signed(expect(0.1)) != signed(expect(math.nextafter(0.1, 1)))
    assert signed(expect([0.0])) != signed(expect([-0.0]))
    assert expect(1) != expect(True)


def test_empty_lists_have_their_declared_type_and_big_integers_are_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run", parameters={"who": [], "days": [], "share": []})
    kinds = ask_r("answer(lapply(unclass(wardbook.params()), class))", tmp_path, run=run)
    assert kinds == {"who": "character", "days": "Date", "share": "numeric"}
    big = make_run(tmp_path, "big", parameters={"n": 2**53 + 1})
    refusal = "answer(tryCatch(wardbook.params(), TemplateProblem = conditionMessage))"
    assert "from 2^53 on" in ask_r(refusal, tmp_path, run=big)


# ---- tables ----------------------------------------------------------------------------------

CORNER_TABLE = """
[outputs.corner]
kind = "table"
title = {fr = "Coins", en = "Corners"}
sensitivity = "public"
channel = "site"
columns = {f = {fr = "f", en = "f"}, i = {fr = "i", en = "i"}, b = {fr = "b", en = "b"}, \
t = {fr = "t", en = "t"}, d = {fr = "d", en = "d"}, m = {fr = "m", en = "m"}}
[outputs.single]
kind = "table"
title = {fr = "Un", en = "One"}
sensitivity = "public"
channel = "site"
columns = {"é, \\"t\\"" = {fr = "t", en = "t"}}
"""

WRITE = """
column <- function(name, kind) {
  none <- as(NA, kind)
  vapply(given[[name]], function(one) if (is.null(one)) none else as(one, kind), none)
}
numbers <- column("f", "numeric")
ends <- vapply(given$f, function(one) if (is.character(one)) one else "", "")
numbers[ends != ""] <- as.numeric(ends[ends != ""])
frame <- data.frame(
  f = numbers, i = column("i", "integer"), b = column("b", "logical"), t = column("t", "character"),
  d = as.Date(column("d", "character")),
  m = as.POSIXct(column("m", "character"), format = "%Y-%m-%dT%H:%M:%S", tz = "UTC")
)
wardbook.table("corner", frame, caption = "caf\\u00e9")
single <- data.frame(column("t", "character"))
names(single) <- '\\u00e9, "t"'
wardbook.table("single", single)
answer(TRUE)
"""


def compare_tables(
    columns: dict[str, list[Any]], folder: Path, locale: str, monkeypatch: pytest.MonkeyPatch
) -> bytes:
    template = make_template(folder)
    with (template / "template.toml").open("a", encoding="utf-8") as file:
        file.write(CORNER_TABLE)
    ours, theirs = make_run(folder, "python"), make_run(folder, "r")
    monkeypatch.setenv("WARDBOOK_RUN", str(ours))
    frame = pd.DataFrame(
        {
            "f": pd.Series(columns["f"], dtype="float64"),
            "i": pd.Series(columns["i"], dtype="Int64"),
            "b": pd.Series(columns["b"], dtype="boolean"),
            "t": pd.Series(columns["t"], dtype="str"),
            "d": pd.to_datetime(pd.Series(columns["d"])),
            "m": pd.to_datetime(pd.Series(columns["m"]), utc=True),
        }
    )
    wb.table("corner", frame, caption="café")
    wb.table("single", pd.DataFrame({'é, "t"': columns["t"]}), caption="")
    plain = columns | {"f": [v if math.isfinite(v) else str(v) for v in columns["f"]]}
    ask_r(WRITE, folder, run=theirs, given=plain, locale=locale)
    for name in ("corner", "single"):
        file = f"outputs/{name}.csv"
        for line, expected in zip(
            (theirs / file).read_bytes().split(b"\n"),
            (ours / file).read_bytes().split(b"\n"),
            strict=True,
        ):
            assert line == expected
    assert read_index(theirs / "outputs") == read_index(ours / "outputs")
    return (theirs / "outputs/corner.csv").read_bytes()


def make_columns(floats: list[float], texts: list[str | None]) -> dict[str, list[Any]]:
    rows = max(len(floats), len(texts))
    stretch = lambda some: [some[at % len(some)] for at in range(rows)]  # noqa: E731
    return {
        "f": stretch(floats),
        "i": stretch([0, -1, None, 2**31 - 1, 100000]),
        "b": stretch([True, None, False]),
        "t": stretch(texts),
        "d": stretch(["2020-02-29", None, "2021-01-08"]),
        "m": stretch(["2020-02-29T14:30:05", None, "2021-01-08T00:00:00"]),
    }


@LOCALES
def test_tables_have_the_same_bytes(
    tmp_path: Path, locale: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = make_columns([*HOSTILE_FLOATS, math.inf, -math.inf, math.nan], [*HOSTILE_TEXTS, None])
    written = compare_tables(columns, tmp_path, locale, monkeypatch)
    assert b"0.30000000000000004" in written
    assert b"5.684341886080802e-14" in written  # 2**-44: the nearest 16 digits do not read back


@few
@given(
    floats=st.lists(st.floats(), min_size=100, max_size=300),
    texts=st.lists(cells | st.none(), min_size=20),
)
def test_any_tables_have_the_same_bytes(floats: list[float], texts: list[str | None]) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        compare_tables(make_columns(floats, texts), Path(folder), "C", patch)


# ---- texts -----------------------------------------------------------------------------------


@LOCALES
def test_texts_are_filled_and_escaped_alike(
    tmp_path: Path, locale: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path, "run")
    monkeypatch.setenv("WARDBOOK_RUN", str(run))
    rates = [0.05, 0.15, 0.25, -0.04, 1e6, 2.5]
    script = """
    fill <- function(quote) lapply(given$who, function(who) lapply(given$rates, function(rate)
      .wardbook.fill("hello", list(who = who, rate = rate), quote)))
    answer(list(plain = fill(identity), marked = fill(.wardbook.escape)))
    """
    given = {"who": HOSTILE_TEXTS, "rates": rates}
    told = ask_r(script, tmp_path, run=run, given=given, locale=locale)
    for who, plain, marked in zip(HOSTILE_TEXTS, told["plain"], told["marked"], strict=True):
        assert plain == [wb.text("hello", who=who, rate=rate) for rate in rates]
        assert marked == [marked_text("hello", who=who, rate=rate) for rate in rates]


# ---- delimited files -------------------------------------------------------------------------

READ = """
departments <- wardbook.departments()$department
layout <- c("dep", "jour", "incid_hosp", "incid_rea", "incid_dc", "incid_rad")
read <- function(path) {
  records <- wardbook.records(path, list(layout), ";")
  known <- records$frame$dep %in% departments
  wardbook.refuse(records, !known, "department_unknown", column = "dep")
  dates <- wardbook.dates(records, "jour", "2020-01-01", "2023-12-31")
  counts <- lapply(c("incid_hosp", "incid_rea", "incid_rad", "incid_dc"),
                   function(column) wardbook.counts(records, column))
  wardbook.refuse_duplicates(records, c("dep", "jour"))
  list(code = "read", department = records$frame$dep, date = format(dates), count = counts[[1]])
}
answer(lapply(given, function(path) {
  tryCatch(read(path), DataProblem = function(problem) c(code = problem$code, problem$details))
}))
"""

damages = st.one_of(
    st.tuples(st.just("cut"), st.floats(0, 1), st.just(b"")),
    st.tuples(
        st.just("put"), st.floats(0, 1), st.sampled_from([bytes([b]) for b in b'";,\r\n\0\xe9-'])
    ),
    st.tuples(
        st.just("put"), st.floats(0, 0.02), st.sampled_from([bytes([b]) for b in b'";,\r\n\0\xe9-'])
    ),
    st.tuples(st.just("drop"), st.floats(0, 1), st.just(b"")),
    st.tuples(st.just("drop"), st.floats(0, 0.02), st.just(b"")),
    st.tuples(
        st.just("line"),
        st.floats(0, 1),
        st.sampled_from(
            [
                *(b"\r\n", b" \n", b'""\n', b'"01";2020-02-30;1;0;0;0\n', b"\xed\xa0\x80;\n"),
                *(
                    b'"01";0000-02-03;1;0;0;0\n',
                    b'"01";2020-04-01;;NA;-1;x\n',
                    b'"a\nb";1;1;1;1;1\n',
                ),
                *(b'"01";1999-04-01;1;0;0;0\n', '"é";2020-04-01;1;0;0;0\n'.encode(), b"\xc0\x80\n"),
            ]
        ),
    ),
)


def damage(data: bytes, how: str, where: float, what: bytes) -> bytes:
    at = int(where * (len(data) - 1))
    if how == "line":
        at = data.find(b"\n", at) + 1
    return data[:at] if how == "cut" else data[:at] + what + data[at + (how == "drop") :]


def read_in_python(path: Path) -> dict[str, Any]:
    from wardbook.delimited import (
        parse_counts,
        parse_dates,
        read_records,
        refuse_duplicates,
        refuse_values,
    )
    from wardbook.epidemic import spf
    from wardbook.epidemic.geography import all_departments

    try:
        records = read_records(path, spf.FLOW_LAYOUTS, delimiter=";")
        known = all_departments()
        refuse_values(records, "dep", lambda code: code not in known, "department_unknown")
        days = parse_dates(records, "jour", first=spf.FIRST_DAY, last=spf.LAST_DAY)
        counts = [parse_counts(records, column) for column in spf.FLOW]
        refuse_duplicates(records, ("dep", "jour"))
    except DataProblem as problem:
        return {"code": problem.code, **problem.details}
    return {
        "code": "read",
        "department": records.frame["dep"].astype(str).tolist(),
        "date": days.dt.strftime("%Y-%m-%d").tolist(),
        "count": counts[0].tolist(),
    }


@LOCALES
def test_damaged_files_are_refused_alike(tmp_path: Path, locale: str) -> None:
    from wardbook.epidemic.generate import generate_files

    _, flow = generate_files(tmp_path, seed=3, days=3)
    good = flow.read_bytes()
    files = {
        "good": good,
        "bom": b"\xef\xbb\xbf" + good,
        "lf": good.replace(b"\r\n", b"\n"),
        "bare": good.replace(b'"', b""),
        "comma": good.replace(b";", b","),
        "packed": b"\x1f\x8b" + good,
        "empty": b"",
        "blank": b"\n\r\n",
        "headless": good.split(b"\n", 1)[1],
        "header": good.split(b"\n", 1)[0],
        "renamed": good.replace(b"incid_rea", b"x", 1),
        "fewer": good.replace(b'"incid_rea";', b"", 1),
        "more": good.replace(b'"jour"', b'"jour";"y"', 1),
        "swapped": good.replace(b'"dep";"jour"', b'"jour";"dep"', 1),
        "return": good.replace(b"incid_dc", b"incid\r_dc", 1),
        "twice": good + good.splitlines(keepends=True)[5],
    }
    compare_reading(files, tmp_path, locale, at_least=10)


@few
@given(how=st.lists(damages, min_size=60, max_size=120))
def test_any_damaged_files_are_refused_alike(how: list[tuple[str, float, bytes]]) -> None:
    from wardbook.epidemic.generate import generate_files

    with tempfile.TemporaryDirectory() as folder:
        _, flow = generate_files(Path(folder), seed=3, days=2)
        good = flow.read_bytes()
        files = {str(at): damage(good, *one) for at, one in enumerate(how)}
        compare_reading(files, Path(folder), "C", at_least=1)


def compare_reading(files: dict[str, bytes], folder: Path, locale: str, *, at_least: int) -> None:
    paths = {name: folder / f"{name}.csv" for name in files} | {"none": folder / "none.csv"}
    for name, content in files.items():
        paths[name].write_bytes(content)
    expected = {name: read_in_python(path) for name, path in paths.items()}
    assert len({one["code"] for one in expected.values()}) >= at_least
    given = {name: str(path) for name, path in paths.items()}
    assert ask_r(READ, folder, given=given, locale=locale) == expected
