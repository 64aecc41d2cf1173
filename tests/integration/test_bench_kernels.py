"""The analyst's kernels: a run's values, no secret, and what is said where one is missing."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest
from bench_trials import ANALYST, COUNT, Unit, lay_out, lay_out_unit
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from pipelines.bench.desk import BenchRefusal, Desk
from pipelines.bench.kernels import BenchKernelManager, find_kernel_problem
from wardbook.messages import say

SECRETS = {
    "WARDBOOK_GITLAB_TOKEN": "glpat-of-the-analyst",
    "WARDBOOK_GRAFANA_TOKEN": "glsa-of-the-unit",
    "PGPASSWORD": "s3cret",
    "AWS_SECRET_ACCESS_KEY": "s3cret",
}
SHOW_ALL = "import json, os; print(json.dumps(dict(os.environ)))"
LEAST = "import wardbook as wb; print(wb.params().least)"


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory) -> Unit:
    unit = lay_out_unit(tmp_path_factory.mktemp("unit"))
    lay_out(unit.desk().place(unit.file(1)), COUNT, parameters='{"least": "7"}')
    return unit


@pytest.fixture
def desk(unit: Unit) -> Desk:
    return unit.desk()


@pytest.fixture(autouse=True)
def _environment(unit: Unit, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    places = {"SETTINGS": unit.folder / "wardbook.toml", "BENCH": desk.folder, "LANGUAGE": "en"}
    own = {f"WARDBOOK_{name}": str(at) for name, at in places.items()}
    for name, value in (ANALYST | own | SECRETS).items():
        monkeypatch.setenv(name, value)


def manager_of(desk: Desk) -> BenchKernelManager:
    return BenchKernelManager(root_dir=str(desk.folder), kernel_spec_manager=KernelSpecManager())


async def ask(manager: AsyncMappingKernelManager, kernel: str, *sources: str) -> list[str]:
    """Execute cells in a kernel that runs; returns what each printed."""
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    client = NotebookClient(notebook, km=manager.get_kernel(kernel), timeout=120)
    client.kc = client.km.client()
    client.kc.start_channels()
    await client.kc.wait_for_ready(timeout=120)
    try:
        for index, cell in enumerate(notebook.cells):
            await client.async_execute_cell(cell, index)
    finally:
        client.kc.stop_channels()
    return ["".join(one.get("text", "") for one in cell.outputs) for cell in notebook.cells]


def test_a_kernel_has_its_requests_values_and_no_secret(desk: Desk) -> None:
    place = desk.place("DATA-1")
    path = f"{place.folder.relative_to(desk.folder)}/notebook.ipynb"

    async def go() -> None:
        manager = manager_of(desk)
        kernel = await manager.start_kernel(path=path, kernel_name="python3")
        try:
            told = await ask(manager, kernel, LEAST, f"{COUNT}\nprint(len(stays))", SHOW_ALL)
            assert told[:2] == ["7\n", "70\n"]
            seen = json.loads(told[2])
            assert not {*SECRETS} & {*seen}
            assert not {*SECRETS.values()} & {*seen.values()}
            assert seen["WARDBOOK_RUN"] == str(place.session)

            (place.folder / "parameters.json").write_text('{"least": "8"}')
            await manager.restart_kernel(kernel)
            assert await ask(manager, kernel, LEAST) == ["8\n"]
        finally:
            await manager.shutdown_kernel(kernel, now=True)

    asyncio.run(go())


def test_a_kernel_of_no_request_has_no_secret_either(desk: Desk) -> None:
    async def seen_by(manager: AsyncMappingKernelManager) -> dict[str, str]:
        kernel = await manager.start_kernel(kernel_name="python3")
        try:
            return dict(json.loads((await ask(manager, kernel, SHOW_ALL))[0]))
        finally:
            await manager.shutdown_kernel(kernel, now=True)

    async def go() -> None:
        seen = await seen_by(manager_of(desk))
        assert not {*SECRETS} & {*seen}
        assert "PATH" in seen
        # A kernel as JupyterLab starts it by itself has them: so the question can tell.
        stock = AsyncMappingKernelManager(root_dir=str(desk.folder))
        assert SECRETS.items() <= (await seen_by(stock)).items()

    asyncio.run(go())


@pytest.mark.r
def test_r_has_its_requests_values_and_no_secret(desk: Desk) -> None:
    if shutil.which("R") is None:
        pytest.skip("R is not installed (Debian packages r-base-core and r-cran-irkernel)")
    assert find_kernel_problem("ir", "en") == ""
    place = desk.place("DATA-1")
    (place.folder / "parameters.json").write_text('{"least": "9"}')

    async def go() -> None:
        manager = manager_of(desk)
        path = f"{place.folder.relative_to(desk.folder)}/notebook.ipynb"
        kernel = await manager.start_kernel(path=path, kernel_name="ir")
        try:
            names = ", ".join(json.dumps(name) for name in SECRETS)
            told = await ask(
                manager,
                kernel,
                "cat(wardbook.params()$least)",
                f"cat(any(nzchar(Sys.getenv(c({names})))))",
            )
            assert told == ["9", "FALSE"]
        finally:
            await manager.shutdown_kernel(kernel, now=True)

    asyncio.run(go())


def start(desk: Desk, name: str) -> None:
    place = desk.place("DATA-1")
    path = f"{place.folder.relative_to(desk.folder)}/notebook.ipynb"
    asyncio.run(manager_of(desk).start_kernel(path=path, kernel_name=name))


def test_a_missing_kernel_is_told_with_what_to_install(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BenchRefusal) as refused:
        start(desk, "ir")
    assert str(refused.value) == say("en", "bench.kernel_no_r") == find_kernel_problem("ir", "en")
    broken = tmp_path / "R"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(BenchRefusal) as refused:
        start(desk, "ir")
    assert str(refused.value) == say("en", "bench.kernel_no_irkernel")
    assert find_kernel_problem("julia", "en") == say("en", "bench.kernel_unknown", name="julia")
    assert find_kernel_problem("python3", "en") == ""
