"""Declared outputs are verified before anybody relies on them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from wardbook.domain.output import OutputKind
from wardbook.engines.outputs import OutputBroken, collect_outputs
from wardbook.notebook.index import declare_output


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    (tmp_path / "counts.csv").write_text("n\n3\n")
    declare_output(
        tmp_path, "counts.csv", name="counts", kind=OutputKind.TABLE, title="Counts", caption=""
    )
    return tmp_path


def rename_in_index(outputs: Path, file: str) -> None:
    index = json.loads((outputs / "index.json").read_text())
    index[0]["file"] = file
    (outputs / "index.json").write_text(json.dumps(index))


def link_elsewhere(outputs: Path) -> None:
    (outputs / "counts.csv").rename(outputs.parent / "counts.csv")
    (outputs / "counts.csv").symlink_to(outputs.parent / "counts.csv")


def move_outside(outputs: Path) -> None:
    (outputs / "counts.csv").rename(outputs.parent / "counts.csv")
    rename_in_index(outputs, "../counts.csv")


def test_what_was_recorded_is_collected(outputs: Path) -> None:
    assert [output.name for output in collect_outputs(outputs)] == ["counts"]


def test_nothing_recorded_is_no_output(tmp_path: Path) -> None:
    assert collect_outputs(tmp_path) == ()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda outputs: (outputs / "counts.csv").write_text("n\n4\n"),
        lambda outputs: (outputs / "counts.csv").unlink(),
        link_elsewhere,
        move_outside,
    ],
)
def test_a_file_that_is_not_the_recorded_one_is_refused(
    outputs: Path, spoil: Callable[[Path], object]
) -> None:
    spoil(outputs)
    with pytest.raises(OutputBroken) as broken:
        collect_outputs(outputs)
    assert broken.value.name == "counts"


@pytest.mark.parametrize("index", ["[", "{}x", "[1]", '[{"kind": "table"}]', '[{"kind": "x"}]'])
def test_a_broken_index_is_refused(outputs: Path, index: str) -> None:
    (outputs / "index.json").write_text(index)
    with pytest.raises(OutputBroken):
        collect_outputs(outputs)
