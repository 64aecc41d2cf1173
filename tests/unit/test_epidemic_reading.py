"""Santé publique France's files: what is accepted, and how each damage is named."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from wardbook.epidemic.generate import generate_files
from wardbook.epidemic.spf import FLOW, STOCK, read_admissions, read_stock, select_totals
from wardbook.errors import DataProblem
from wardbook.messages import LANGUAGES, say, topic_texts

CANARY = "Zqx77canari"
HEADER = b'"dep";"sexe";"jour";"hosp";"rea";"rad";"dc"'
NAMES = "dep;sexe;jour;hosp;rea;rad;dc"

Damage = Callable[[list[bytes]], bytes]


@pytest.fixture(scope="module")
def stock_bytes(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    stock, _ = generate_files(tmp_path_factory.mktemp("spf"), seed=3, days=8)
    return stock.read_bytes()


@pytest.fixture(scope="module")
def flow_bytes(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    _, flow = generate_files(tmp_path_factory.mktemp("spf"), seed=3, days=8)
    return flow.read_bytes()


def lines_of(data: bytes) -> list[bytes]:
    return data.removesuffix(b"\r\n").split(b"\r\n")


def join(lines: list[bytes]) -> bytes:
    return b"\r\n".join(lines) + b"\r\n"


def set_cell(row: int, column: int, value: str) -> Damage:
    """Put `value` into the cell of a 1-based line and 0-based column."""

    def damage(lines: list[bytes]) -> bytes:
        cells = lines[row - 1].split(b";")
        cells[column] = value.encode()
        lines[row - 1] = b";".join(cells)
        return join(lines)

    return damage


def set_header(names: str) -> Damage:
    return lambda lines: join([names.encode(), *lines[1:]])


def set_line(row: int, line: bytes) -> Damage:
    return lambda lines: join([*lines[: row - 1], line, *lines[row:]])


@dataclass(frozen=True)
class Case:
    name: str
    damage: Damage
    code: str
    details: dict[str, str | int]


def case(name: str, damage: Damage, code: str, **details: str | int) -> Case:
    return Case(name, damage, code, details)


BOUNDS = {"first": "2020-01-01", "last": "2023-12-31"}
CASES = [
    case("empty", lambda _: b"", "file_empty"),
    case("blank lines only", lambda _: b"\r\n\r\n", "file_empty"),
    case("byte order mark only", lambda _: b"\xef\xbb\xbf", "file_empty"),
    case("header only", lambda lines: join(lines[:1]), "no_rows"),
    case("header only, no line end", lambda lines: lines[0], "no_rows"),
    case("no header", lambda lines: join(lines[1:]), "header_missing", row=1, expected=NAMES),
    case(
        "column missing",
        lambda lines: join([b";".join(line.split(b";")[:-1]) for line in lines]),
        "columns_missing",
        column="dc",
        expected=NAMES,
    ),
    case(
        "column renamed",
        set_header(f"dep;sexe;jour;hosp;{CANARY};rad;dc"),
        "columns_renamed",
        position=5,
        column="rea",
        expected=NAMES,
    ),
    case(
        "columns reordered",
        set_header("dep;sexe;jour;rea;hosp;rad;dc"),
        "columns_reordered",
        position=4,
        column="hosp",
        expected=NAMES,
    ),
    case(
        "column too many",
        set_header(f"dep;sexe;jour;hosp;rea;{CANARY};rad;dc"),
        "columns_extra",
        position=6,
        expected=NAMES,
    ),
    case(
        "column of the later layout missing",
        set_header("dep;sexe;jour;hosp;rea;SSR_USLD;autres;rad;dc"),
        "columns_missing",
        column="HospConv",
        expected="dep;sexe;jour;hosp;rea;HospConv;SSR_USLD;autres;rad;dc",
    ),
    case(
        "comma for semicolon",
        lambda lines: join(lines).replace(b";", b","),
        "delimiter_wrong",
        row=1,
        expected=NAMES,
    ),
    case(
        "Latin-1",
        set_line(9, f'"{CANARY} é";"0";"2020-03-18";1;1;1;1'.encode("latin-1")),
        "not_utf8",
        row=9,
    ),
    case("UTF-16", lambda lines: join(lines).decode().encode("utf-16"), "not_utf8", row=1),
    case("zero byte", set_line(7, b'"01";"0";"2020-03-18";1;\x00;1;1'), "not_utf8", row=7),
    case("gzip", lambda lines: gzip.compress(join(lines)), "file_compressed"),
    case(
        "last line cut in its fields",
        lambda lines: b"\r\n".join([*lines[:-1], b";".join(lines[-1].split(b";")[:4])]),
        "line_cut",
        row=2425,
        expected=7,
    ),
    case(
        "last line cut in its fields, with line end",
        lambda lines: join([*lines[:-1], b";".join(lines[-1].split(b";")[:4])]),
        "line_cut",
        row=2425,
        expected=7,
    ),
    case(
        "last number cut or whole, nobody can tell",
        lambda lines: b"\r\n".join(lines),
        "line_end_missing",
        row=2425,
    ),
    case(
        "fields missing in the middle",
        set_line(50, b'"01";"0"'),
        "fields_count",
        row=50,
        expected=7,
        count=1,
    ),
    case(
        "fields too many",
        lambda lines: join([*lines[:99], *(line + b";" for line in lines[99:])]),
        "fields_count",
        row=100,
        expected=7,
        count=2326,
    ),
    case(
        "two lines run together",
        lambda lines: join([*lines[:9], lines[9] + lines[10], *lines[11:]]),
        "quote_misplaced",
        row=10,
    ),
    case(
        "quote never closed", set_line(30, b'"01;0;2020-03-18;1;1;1;1'), "quote_misplaced", row=31
    ),
    case("quote inside", set_line(30, b'0"1;0;2020-03-18;1;1;1;1'), "quote_misplaced", row=30),
    case(
        "duplicate keys",
        lambda lines: join([*lines, lines[4], lines[5]]),
        "key_duplicated",
        row=2426,
        other=5,
        column="dep, sexe, jour",
        count=2,
    ),
    case("a name", set_cell(5, 0, CANARY), "department_unknown", row=5, column="dep", count=1),
    case("department 20", set_cell(5, 0, "20"), "department_unknown", row=5, column="dep", count=1),
    case(
        "departments without their zero",
        lambda lines: join(lines).replace(b'"01"', b"1"),
        "department_unknown",
        row=2,
        column="dep",
        count=24,
    ),
    case("unknown sex", set_cell(6, 1, CANARY), "sex_unknown", row=6, column="sexe", count=1),
    case(
        "no total at all",
        lambda lines: join([line for line in lines if b'";"0";"' not in line]),
        "total_missing",
        column="sexe",
    ),
    case("day first", set_cell(6, 2, "18/03/2020"), "date_form", row=6, column="jour", count=1),
    case("date and text", set_cell(6, 2, CANARY), "date_form", row=6, column="jour", count=1),
    case("no date", set_cell(6, 2, ""), "date_form", row=6, column="jour", count=1),
    case(
        "impossible date",
        set_cell(6, 2, "2020-02-30"),
        "date_impossible",
        row=6,
        column="jour",
        count=1,
    ),
    case(
        "date out of bounds",
        set_cell(6, 2, "2120-03-18"),
        "date_outside",
        row=6,
        column="jour",
        count=1,
        **BOUNDS,
    ),
    case(
        "text for a number", set_cell(8, 3, CANARY), "number_invalid", row=8, column="hosp", count=1
    ),
    case("decimal", set_cell(8, 4, "1.5"), "number_invalid", row=8, column="rea", count=1),
    case("exponent", set_cell(8, 4, "1e3"), "number_invalid", row=8, column="rea", count=1),
    case("blank before", set_cell(8, 4, " 15"), "number_invalid", row=8, column="rea", count=1),
    case("Arabic digits", set_cell(8, 4, "١٥"), "number_invalid", row=8, column="rea", count=1),
    case(
        "bare carriage return",
        set_cell(8, 4, "1\r5"),
        "number_invalid",
        row=8,
        column="rea",
        count=1,
    ),
    case("huge number", set_cell(8, 4, "9" * 30), "number_invalid", row=8, column="rea", count=1),
    case("negative", set_cell(8, 5, "-7777"), "number_negative", row=8, column="rad", count=1),
    case("NA", set_cell(8, 6, "NA"), "number_missing", row=8, column="dc", count=1),
    case("empty number", set_cell(8, 6, ""), "number_missing", row=8, column="dc", count=1),
    case(
        "first of several, and their number",
        lambda lines: join([*lines[:20], *(line[:-1] + CANARY.encode() for line in lines[20:])]),
        "number_invalid",
        row=21,
        column="dc",
        count=2405,
    ),
    case(
        "after blank lines",
        lambda lines: join([b"", lines[0], b"", *lines[1:9], b"", b"", *lines[10:]]).replace(
            b'"11"', CANARY.encode()
        ),
        "department_unknown",
        row=35,
        column="dep",
        count=24,
    ),
    case(
        "transfer broken off at the end of a line of the last day",
        lambda lines: join(
            [line for line in lines if not (b"2020-03-25" in line and line.startswith(b'"97'))]
        ),
        "last_day_cut",
        count=96,
        expected=101,
    ),
    case(
        "after a quoted line end",
        lambda lines: join(
            [
                *lines[:4],
                b'"01\r\n\r\n' + CANARY.encode() + b'";"0";"2020-03-18";1;1;1;1',
                *lines[4:9],
                b"cut",
                *lines[9:],
            ]
        ),
        "fields_count",
        row=13,
        expected=7,
        count=1,
    ),
]


def damaged(tmp_path: Path, data: bytes, case: Case) -> DataProblem:
    file = tmp_path / "hosp.csv"
    file.write_bytes(case.damage(lines_of(data)))
    with pytest.raises(DataProblem) as caught:
        read_stock(file)
    return caught.value


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_damage_is_named_with_its_place(tmp_path: Path, stock_bytes: bytes, case: Case) -> None:
    problem = damaged(tmp_path, stock_bytes, case)
    assert (problem.code, dict(problem.details)) == (case.code, {"file": "hosp.csv"} | case.details)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_message_names_file_and_place_and_no_value(
    tmp_path: Path, stock_bytes: bytes, case: Case, language: str
) -> None:
    problem = damaged(tmp_path, stock_bytes, case)
    message = say(language, f"data.{problem.code}", **problem.details)  # type: ignore[arg-type]
    assert "hosp.csv" in message
    assert str(tmp_path) not in message
    for place in ("row", "column", "position", "expected"):
        assert str(case.details.get(place, "")) in message
    for value in (CANARY, "18/03/2020", "2020-02-30", "2120-03-18", "7777", "99999", "1e3"):
        assert value not in message
    assert problem.__cause__ is None


def test_every_message_about_data_has_a_test_that_names_it(root: Path) -> None:
    covered = {case.code for case in CASES}
    texts = {file: file.read_text(encoding="utf-8") for file in (root / "tests").rglob("test_*.py")}
    here = texts.pop(Path(__file__).resolve())
    assert "never_raised" in here
    for code in topic_texts("en", "data").keys() - covered:
        assert any(f'"{code}"' in text for text in texts.values()), code
    assert not any('"never_raised"' in text for text in texts.values()), "the control"
    assert covered <= topic_texts("fr", "data").keys() == topic_texts("en", "data").keys()


def test_the_undamaged_file_has_no_problem(tmp_path: Path, stock_bytes: bytes) -> None:
    file = tmp_path / "hosp.csv"
    file.write_bytes(join(lines_of(stock_bytes)))
    stock = read_stock(file)
    assert list(stock.columns) == ["department", "sex", "date", *STOCK]
    assert len(stock) == 101 * 3 * 8


@pytest.mark.parametrize(
    "change",
    [
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data.replace(b"\r\n", b"\n"),
        lambda data: data.replace(b'"', b""),
        lambda data: data.replace(b"\r\n", b"\r\n\r\n"),
        lambda data: b"\n\n" + data + b"\n\n",
    ],
    ids=["byte order mark", "LF", "no quotes", "blank lines", "blank lines at the ends"],
)
def test_a_harmless_change_gives_the_same_rows(
    tmp_path: Path, stock_bytes: bytes, change: Callable[[bytes], bytes]
) -> None:
    plain, changed = tmp_path / "plain.csv", tmp_path / "changed.csv"
    plain.write_bytes(stock_bytes)
    changed.write_bytes(change(stock_bytes))
    pd.testing.assert_frame_equal(read_stock(plain), read_stock(changed))


def test_the_later_layout_is_read_with_its_empty_columns(
    tmp_path: Path, stock_bytes: bytes
) -> None:
    plain, later = tmp_path / "plain.csv", tmp_path / "later.csv"
    plain.write_bytes(stock_bytes)
    head, *rows = lines_of(stock_bytes)
    head = head.replace(b'"rad"', b'"HospConv";"SSR_USLD";"autres";"rad"')
    wide = [b";".join([*row.split(b";")[:5], b"NA;;12", *row.split(b";")[5:]]) for row in rows]
    later.write_bytes(join([head, *wide]))
    pd.testing.assert_frame_equal(read_stock(plain), read_stock(later))


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(DataProblem) as missing:
        read_stock(tmp_path / "no.csv")
    with pytest.raises(DataProblem) as folder:
        read_stock(tmp_path)
    assert (missing.value.code, missing.value.details) == ("file_missing", {"file": "no.csv"})
    assert folder.value.code == "file_unreadable"


def test_the_flow_is_read_and_its_key_has_no_sex(tmp_path: Path, flow_bytes: bytes) -> None:
    file = tmp_path / "flow.csv"
    file.write_bytes(flow_bytes)
    assert list(read_admissions(file).columns) == ["department", "date", *FLOW]
    lines = lines_of(flow_bytes)
    file.write_bytes(join([*lines, lines[9]]))
    with pytest.raises(DataProblem) as caught:
        read_admissions(file)
    assert caught.value.details["row"] == len(lines) + 1
    assert caught.value.details["other"] == 10


def test_one_file_given_for_the_other_is_refused(
    tmp_path: Path, stock_bytes: bytes, flow_bytes: bytes
) -> None:
    stock, flow = tmp_path / "stock.csv", tmp_path / "flow.csv"
    stock.write_bytes(stock_bytes)
    flow.write_bytes(flow_bytes)
    with pytest.raises(DataProblem) as caught:
        read_stock(flow)
    assert caught.value.details["column"] == "sexe, hosp, rea, rad, dc"
    with pytest.raises(DataProblem) as caught:
        read_admissions(stock)
    assert caught.value.code == "columns_missing"


def test_the_total_is_sex_0_alone(tmp_path: Path) -> None:
    file = tmp_path / "hosp.csv"
    rows = [b'"01";"0";"2020-03-18";10;4;1;1', b'"01";"1";"2020-03-18";5;2;0;1']
    file.write_bytes(join([HEADER, *rows, b'"01";"2";"2020-03-18";3;1;1;0']))
    totals = select_totals(read_stock(file))
    assert totals[list(STOCK)].to_numpy().tolist() == [[10, 4, 1, 1]]
    assert "sex" not in totals.columns
