"""The comparison of executed notebooks: what it overlooks, and that it sees what stands beside."""

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.corpus.compare import HIDDEN, LOTS, Executed, compare
from tests.corpus.reading import read_corpus

PLACES = {"/run/1/home": "<home>", "/run/1": "<run>"}
OTHER_PLACES = {"/elsewhere/home": "<home>", "/elsewhere": "<run>"}


def stream(text: str, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def shown(text: str) -> dict[str, Any]:
    return {"output_type": "display_data", "data": {"text/plain": text}, "metadata": {}}


def make_cell(*outputs: dict[str, Any], **keys: Any) -> dict[str, Any]:
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": "x", "execution_count": 1}
    return cell | {"outputs": list(outputs)} | keys


def executed(
    *cells: dict[str, Any],
    outcome: str = "ended",
    metadata: Mapping[str, Any] | None = None,
    places: Mapping[str, str] = PLACES,
) -> Executed:
    notebook = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": dict(metadata or {}),
        "cells": list(cells),
    }
    return Executed(outcome, notebook, places)


def differ(one: Executed, other: Executed, *hides: str, named: bool = True) -> bool:
    return bool(compare(one, other, hides, named))


def test_the_same_is_the_same() -> None:
    one = executed(make_cell(stream("a"), shown("b")))
    assert compare(one, deepcopy(one)) == []


PLAIN = make_cell(stream("a"), shown("b"))


@pytest.mark.parametrize(
    "other",
    [
        make_cell(stream("a"), shown("c")),
        make_cell(stream("a ")),
        make_cell(shown("b"), stream("a")),
        make_cell(stream("a", "stderr"), shown("b")),
        make_cell(stream("a"), shown("b"), shown("b")),
        make_cell(stream("a"), shown("b") | {"metadata": {"k": 1}}),
        make_cell(stream("a"), shown("b") | {"output_type": "execute_result"}),
        make_cell(stream("a"), shown("b"), execution_count=2),
        make_cell(stream("a"), shown("b"), execution_count=None),
        make_cell(stream("a"), shown("b"), source="y"),
        make_cell(stream("a"), shown("b"), id="b"),
        make_cell(stream("a"), shown("b"), metadata={"tags": ["one"]}),
        make_cell(stream("a"), shown("b"), metadata={"collapsed": True}),
        make_cell(stream("a"), shown("b"), attachments={}),
        make_cell(stream("a"), shown("b"), cell_type="raw"),
    ],
)
def test_each_part_of_a_cell_is_compared(other: dict[str, Any]) -> None:
    assert differ(executed(PLAIN), executed(other))


def test_the_notebook_around_the_cells_is_compared() -> None:
    one = executed(PLAIN)
    assert differ(one, executed(PLAIN, PLAIN))
    assert differ(one, executed(PLAIN, outcome="failed"))
    assert differ(one, executed(PLAIN, metadata={"language_info": {"name": "python"}}))
    older = Executed(one.outcome, {**one.notebook, "nbformat_minor": 4}, PLACES)
    assert differ(one, older)
    assert differ(one, Executed("ended", {}, PLACES))


def test_papermill_s_own_marks_do_not_count_and_others_do() -> None:
    marked = make_cell(
        *PLAIN["outputs"],
        metadata={
            "papermill": {"duration": 1.5},
            "execution": {"iopub.status.idle": "…"},
            "tags": [],
        },
    )
    assert not differ(executed(PLAIN), executed(PLAIN | {"metadata": {"wardbook": {"status": ""}}}))
    published = shown("b") | {"metadata": {"wardbook": {"publish": "text"}}}
    assert differ(executed(PLAIN), executed(make_cell(stream("a"), published)))
    banner = {
        "cell_type": "markdown",
        "id": "b",
        "metadata": {"tags": ["papermill-error-cell-tag"]},
        "source": "An exception was encountered",
    }
    one = executed(marked, metadata={"papermill": {"version": "2"}})
    assert not differ(executed(PLAIN), one)
    assert not differ(executed(PLAIN), executed(banner, marked))
    assert differ(executed(PLAIN), executed(banner | {"metadata": {"tags": ["other"]}}, marked))
    tagged = PLAIN | {"metadata": marked["metadata"] | {"tags": ["kept"]}}
    assert differ(executed(PLAIN), executed(tagged))


def test_drawn_names_of_cells_do_not_count_only_where_none_were_given() -> None:
    one, other = executed(PLAIN), executed(PLAIN | {"id": "drawn"})
    assert differ(one, other)
    assert not differ(one, other, named=False)


def test_how_a_stream_is_cut_does_not_count_and_its_text_does() -> None:
    one = executed(make_cell(stream("a\nb\n"), stream("e", "stderr")))
    cut = executed(make_cell(stream("a\n"), stream("e", "stderr"), stream("b\n")))
    assert not differ(one, cut)
    assert differ(one, executed(make_cell(stream("a\n"), stream("e", "stderr"), stream("b"))))
    assert differ(one, executed(make_cell(stream("b\n"), stream("e", "stderr"), stream("a\n"))))
    around = executed(make_cell(stream("a\n"), shown("d"), stream("b\n")))
    assert differ(around, executed(make_cell(stream("a\nb\n"), shown("d"))))


def test_texts_cut_into_lines_are_texts_and_lists_in_json_are_lists() -> None:
    one = make_cell(shown("a\nb"))
    assert not differ(executed(one), executed(make_cell(shown(["a\n", "b"]))))  # type: ignore[arg-type]
    data = {"application/json": ["a", "b"]}
    other = {"application/json": "ab"}
    assert differ(
        executed(make_cell(shown("") | {"data": data})),
        executed(make_cell(shown("") | {"data": other})),
    )


SAME = {
    "addresses": ("<Thing at 0x7fef6014d580>", "<Thing at 0x7f2e65b35e40>"),
    "cell_files": ('File "/tmp/ipykernel_12/345.py", 1', 'File "/a/tmp/ipykernel_9/67.py", 1'),
    "folders": ("at /run/1/home/x and /run/1/tmp", "at /elsewhere/home/x and /elsewhere/tmp"),
    "shell_frames": (
        '  File "/tmp/ipykernel_1/2.py", line 3 in f\n  File "/lib/a.py", line 5 in g\nend',
        '  File "/tmp/ipykernel_1/2.py", line 3 in f\n  File "/lib/b.py", line 7 in h\nend',
    ),
    "durations": (
        "Wall time: 1.2 ms, 1/2 [00:01<00:02, 12.5it/s]",
        "Wall time: 3 s, 1/2 [00:00<?, ?it/s]  ",
    ),
    "svg_dates": ("<dc:date>2021</dc:date>x", "<dc:date>2022-01-01</dc:date>x"),
    LOTS: (
        "id=123e4567-e89b-12d3-a456-426614174000 then " + "ab" * 16,
        "id=00000000-0000-0000-0000-000000000001 then " + "cd" * 16,
    ),
}

BESIDE = {
    "addresses": ("<Thing at 0x7fef6014d580>", "<Other at 0x7f2e65b35e40>"),
    "cell_files": ('File "/tmp/ipykernel_12/345.py", 1', 'File "/tmp/ipykernel_12/345.py", 2'),
    "folders": ("at /run/1/home/x", "at /elsewhere/x"),
    "shell_frames": (
        '  File "/tmp/ipykernel_1/2.py", line 3 in f\n  File "/lib/a.py", line 5 in g\nend',
        '  File "/tmp/ipykernel_1/2.py", line 4 in f\n  File "/lib/a.py", line 5 in g\nend',
    ),
    "durations": ("Wall time: 1.2 ms for 3", "Wall time: 1.2 ms for 4"),
    "svg_dates": ("<dc:date>2021</dc:date>x", "<dc:date>2021</dc:date>y"),
    LOTS: (
        "ab" * 16 + " is named again: " + "ab" * 16,
        "ab" * 16 + " is named again: " + "cd" * 16,
    ),
}


@pytest.mark.parametrize("name", [*HIDDEN, LOTS])
def test_what_is_hidden_by_name_is_overlooked_only_when_asked_for(name: str) -> None:
    one, other = SAME[name]
    sides = executed(make_cell(shown(one))), executed(make_cell(shown(other)), places=OTHER_PLACES)
    assert not differ(*sides, name)
    assert differ(*sides)
    assert differ(*sides, *(set(HIDDEN) | {LOTS}) - {name})


@pytest.mark.parametrize("name", [*HIDDEN, LOTS])
def test_a_difference_beside_what_is_hidden_is_found(name: str) -> None:
    one, other = BESIDE[name]
    sides = executed(make_cell(shown(one))), executed(make_cell(shown(other)), places=OTHER_PLACES)
    assert differ(*sides, name)
    assert differ(*sides, *HIDDEN, LOTS)


def test_widgets_are_the_same_by_what_they_hold_and_not_by_their_order() -> None:
    def make(first: str, layout: str, value: int, order: int) -> Executed:
        states = {
            first: {"state": {"value": value, "layout": f"IPY_MODEL_{layout}"}},
            layout: {"state": {"width": None}},
        }
        ordered = dict(list(states.items())[::order])
        widgets = {"application/vnd.jupyter.widget-state+json": {"state": ordered}}
        view = {"application/vnd.jupyter.widget-view+json": {"model_id": first}}
        cell = make_cell(shown("") | {"data": view})
        return executed(cell, metadata={"widgets": widgets})

    one = make("ab" * 16, "cd" * 16, 3, 1)
    assert not differ(one, make("12" * 16, "34" * 16, 3, -1), LOTS)
    assert differ(one, make("12" * 16, "34" * 16, 4, -1), LOTS)
    assert differ(one, make("12" * 16, "12" * 16, 3, -1), LOTS)


def test_the_difference_is_told_and_long_texts_are_cut() -> None:
    long = "line\n" * 100_000
    lines = compare(executed(make_cell(stream(long))), executed(make_cell(stream(long + "x"))))
    assert any(line.startswith("+") and "500001 characters in all" in line for line in lines)
    assert len("\n".join(lines)) < 5_000


def test_every_notebook_of_the_corpus_asks_for_what_exists() -> None:
    asked = {name for case in read_corpus().values() for name in case.hides}
    assert asked == {*HIDDEN, LOTS}


def test_a_corpus_with_a_mistake_is_refused(tmp_path: Path) -> None:
    def read(text: str) -> object:
        (tmp_path / "theme.cells").write_text(text, encoding="utf-8")
        return read_corpus(tmp_path)

    good = "=== name\nwhat: words\n--- code\n1\n"
    assert list(read_corpus(tmp_path)) == [] and read(good)
    for bad in (
        good + good,
        "=== name\n--- code\n1\n",
        "=== name\nwhat: words\nhides: lots\n--- code\n",
        "=== name\nwhat: words\nhiddes: lots\n--- code\n",
    ):
        with pytest.raises(ValueError, match=r"theme\.cells"):
            read(bad)
