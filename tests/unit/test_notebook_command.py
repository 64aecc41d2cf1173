"""`wardbook notebook strip` and `diff`, and what stripping keeps of real notebooks."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner, Result

from pipelines.cli.main import wardbook
from tests.planted_notebooks import corners
from wardbook.stripping import NoNotebook, strip_notebook

RUN = {
    "cells": [
        corners.markdown("# Nuits\n") | {"id": "a"},
        corners.code("ward = 'B'\n") | {"metadata": {"tags": ["injected-parameters"]}},
        corners.code("nights = 4\nprint(nights)\n",
                     [{"output_type": "stream", "name": "stdout", "text": "4\n"}]) | {"id": "b"},
    ],
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "env": {"A": "b"}},
                 "papermill": {"input_path": "/srv/x"}},
    "nbformat": 4, "nbformat_minor": 5,
}  # fmt: skip


def ask(*arguments: str | Path, given: bytes = b"") -> Result:
    return CliRunner().invoke(
        wardbook, ["notebook", *map(str, arguments)], input=given, standalone_mode=False
    )


@pytest.fixture
def run(tmp_path: Path) -> Path:
    file = tmp_path / "n.ipynb"
    file.write_text(json.dumps(RUN), encoding="utf-8")
    file.chmod(0o640)
    return file


def test_strip_changes_in_place_once_and_check_changes_nothing(run: Path) -> None:
    before = run.read_bytes()
    done = ask("strip", "--check", run)
    assert (done.return_value, run.read_bytes()) == (1, before)
    assert done.output == f"{run}: would be stripped\n"
    assert ask("strip", run).output == f"{run}: stripped\n"
    assert run.stat().st_mode & 0o777 == 0o640
    for arguments in (("strip", run), ("strip", "--check", run)):
        done = ask(*arguments)
        assert (done.return_value, done.output) == (0, "")
    told = json.loads(run.read_bytes())
    assert [cell["id"] for cell in told["cells"]] == ["a", "b"]
    assert told["metadata"] == {"kernelspec": {"name": "python3", "display_name": "Python 3"}}


def test_strip_reads_stdin_where_it_is_told_so(run: Path) -> None:
    done = ask("strip", "-", given=run.read_bytes())
    ask("strip", run)
    assert done.stdout_bytes == run.read_bytes()


def test_what_cannot_be_stripped_is_told_stays_and_stops_no_other(run: Path) -> None:
    broken, missing = run.with_name("broken.ipynb"), run.with_name("missing.ipynb")
    broken.write_text('{"cells": [\n1,\n', encoding="utf-8")
    done = ask("strip", broken, missing, run)
    assert done.return_value == 1
    assert f"{broken}: this is no notebook: line 3 is no JSON. Open it" in done.output
    assert f"{missing}: No such file or directory. Look at the name" in done.output
    assert f"{run}: stripped" in done.output
    assert broken.read_text(encoding="utf-8") == '{"cells": [\n1,\n'


def test_diff_shows_sources_cell_by_cell_and_not_what_a_run_left(run: Path) -> None:
    other = run.with_name("other.ipynb")
    other.write_text(strip_notebook(run.read_text(encoding="utf-8")), encoding="utf-8")
    assert (ask("diff", run, other).return_value, ask("diff", run, other).output) == (0, "")
    changed = other.read_text(encoding="utf-8").replace("nights = 4", "nights = 5")
    other.write_text(changed, encoding="utf-8")
    done = ask("diff", run, other)
    assert done.return_value == 1
    assert " # %% b\n-nights = 4\n+nights = 5\n print(nights)\n" in done.output


@pytest.mark.parametrize("form", ["notebooks/*.ipynb", "templates/*/notebook.ipynb"])
def test_the_notebooks_here_are_stripped_and_stay_what_they_are(form: str, root: Path) -> None:
    found = sorted(root.glob(form))
    assert found
    for file in found:
        text = file.read_text(encoding="utf-8")
        assert strip_notebook(text) == text, f"{file}: run `wardbook notebook strip` on it"
        nbformat.validate(nbformat.reads(text, as_version=4))


def test_an_old_notebook_becomes_what_nbformat_makes_of_it() -> None:
    cells = [
        {"cell_type": "heading", "level": 2, "source": ["Nuits"], "metadata": {}},
        {"cell_type": "code", "input": ["x = 1\n", "x"], "prompt_number": 2, "language": "python",
         "outputs": [], "metadata": {}, "collapsed": False},
        {"cell_type": "markdown", "source": "text", "metadata": {}},
    ]  # fmt: skip
    old = json.dumps({"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""},
                      "worksheets": [{"cells": cells, "metadata": {}}]})  # fmt: skip
    ours = nbformat.reads(strip_notebook(old), as_version=4)
    theirs = nbformat.reads(old, as_version=4)
    nbformat.validate(ours)
    assert [(c.cell_type, c.source) for c in ours.cells] == [
        (c.cell_type, c.source) for c in theirs.cells
    ]


def test_a_secret_in_the_error_of_a_broken_notebook_is_not_told() -> None:
    with pytest.raises(NoNotebook) as told:
        strip_notebook('{"cells": [], "password": "x7Kq9Lm2Pz4R"')
    assert "x7Kq" not in str(told.value)
