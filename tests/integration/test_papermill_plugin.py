"""`papermill --engine wardbook`: papermill's own promises hold, in a fork of a warm process."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from papermill.exceptions import PapermillExecutionError
from papermill.execute import execute_notebook

import wardbook.engines.papermill_plugin as plugin


@pytest.fixture(autouse=True)
def _engine_is_known() -> None:
    from papermill.engines import papermill_engines

    papermill_engines.register("wardbook", plugin.WarmNotebook)


def write(folder: Path, *cells: str) -> Path:
    code = [nbformat.v4.new_code_cell(cell) for cell in cells]
    code[0].metadata["tags"] = ["parameters"]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    file = folder / "in.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=code, metadata={"kernelspec": kernel}), file)
    return file


def execute(notebook: Path, **options: Any) -> Any:
    out = notebook.with_name("out.ipynb")
    return execute_notebook(notebook, out, engine_name="wardbook", progress_bar=False, **options)


def test_parameters_folder_and_environment_are_papermill_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OWN_WORD", "seen")
    notebook = write(
        tmp_path,
        "n = 1",
        "import os; n, os.getcwd(), os.environ['OWN_WORD']",
        "open('left.txt', 'w').write('x')",
    )
    done = execute(notebook, parameters={"n": 2}, cwd=tmp_path)
    assert eval(done.cells[2].outputs[0].data["text/plain"]) == (2, str(tmp_path), "seen")
    assert (tmp_path / "left.txt").read_text() == "x"
    assert {cell.metadata.papermill.status for cell in done.cells} == {"completed"}


def test_it_runs_in_a_fork_of_this_process_s_server(tmp_path: Path) -> None:
    tell = "import os; print(open(f'/proc/{os.getppid()}/cmdline').read())"
    ours = execute(write(tmp_path, "1", tell)).cells[-1].outputs[0].text
    assert "wardbook.engines.server" in ours
    out = tmp_path / "stock.ipynb"
    stock = execute_notebook(tmp_path / "in.ipynb", out, progress_bar=False)
    assert "wardbook.engines.server" not in stock.cells[-1].outputs[0].text


def test_a_failing_cell_is_told_as_papermill_tells_it(tmp_path: Path) -> None:
    notebook = write(tmp_path, "1", "raise KeyError('x')", "'never'")
    with pytest.raises(PapermillExecutionError) as error:
        execute(notebook)
    assert error.value.ename == "KeyError"
    left = nbformat.read(tmp_path / "out.ipynb", 4)
    assert [cell.execution_count for cell in left.cells if cell.cell_type == "code"][-1] is None


def test_a_dead_process_and_a_spent_time_are_errors(tmp_path: Path) -> None:
    with pytest.raises(plugin.DeadKernelError):
        execute(write(tmp_path, "1", "import os; os._exit(0)"))
    with pytest.raises(plugin.CellTimeoutError):
        execute(write(tmp_path, "import time; time.sleep(60)"), execution_timeout=1)


def test_what_needs_a_kernel_gets_papermill_s_own(tmp_path: Path) -> None:
    cell = "from comm import create_comm\ncreate_comm(target_name='x')\nprint('opened')"
    done = execute(write(tmp_path, "1", cell))
    assert done.cells[-1].outputs[0].text == "opened\n"


def test_the_command_finds_the_engine_by_its_name(tmp_path: Path) -> None:
    notebook = write(tmp_path, "n = 1", "n * 21")
    command = [sys.executable, "-m", "papermill", "--engine", "wardbook", "-p", "n", "2"]
    subprocess.run(
        [*command, str(notebook), str(tmp_path / "out.ipynb")],
        check=True,
        capture_output=True,
        env=dict(os.environ),
    )
    done = nbformat.read(tmp_path / "out.ipynb", 4)
    assert done.cells[-1].outputs[0].data["text/plain"] == "42"
