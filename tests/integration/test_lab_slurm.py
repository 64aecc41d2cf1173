"""The bench in a job on a real cluster: handed over once, found again, cancelled, refused."""

from __future__ import annotations

import os
from http.client import HTTPConnection
from pathlib import Path

import pytest
from sample_settings import load_sample
from slurm_cluster import TrialCluster, wait_for

from pipelines.bench.desk import Desk
from pipelines.bench.on_slurm import Asked, Bench, build_sbatch
from pipelines.bench.running import make_url
from wardbook.errors import EnvironmentFault, ForeignFault

pytestmark = [pytest.mark.slurm, pytest.mark.xdist_group("slurm")]
SMALL = Asked(hours=1, memory_mb=1000)


@pytest.fixture
def desk(tmp_path: Path, cluster: TrialCluster) -> Desk:
    settings = load_sample(tmp_path)
    bench = settings.bench.model_copy(update={"folder": tmp_path / "bench", "port": 18_840})
    changed = {"bench": bench, "executor": cluster.settings()}
    return Desk(settings.model_copy(update=changed), "en")


def status_of(port: int, token: str) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/api/status", headers={"Authorization": f"token {token}"})
    return connection.getresponse().status


def test_one_job_is_handed_over_found_again_and_cancelled(
    desk: Desk,
    cluster: TrialCluster,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WARDBOOK_GITLAB_TOKEN", "glpat-of-the-analyst")
    told: list[str] = []
    bench = Bench(desk)
    found = bench.open(SMALL, {"WARDBOOK_LANGUAGE": "en"}, told.append)
    try:
        assert "was handed to Slurm" in told[0]
        ((number, state, node),) = cluster.jobs()
        assert (state, node) == ("RUNNING", found.node)
        assert status_of(found.port, found.token) == 200
        assert status_of(found.port, "x") == 403

        # the analyst's token arrives, by a file; Slurm itself is told neither
        said = cluster.ask("scontrol", "show", "job", number)
        assert said is not None
        assert "wardbook-lab:" in said
        running = [entry for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
        lines = {p.name: _read(p / "cmdline") for p in running if int(p.name) != os.getpid()}
        for secret in (found.token, "glpat-of-the-analyst"):
            assert secret not in said
            assert [pid for pid, line in lines.items() if secret.encode() in line] == []
        (server,) = [pid for pid, line in lines.items() if _is_server(line, desk)]
        assert b"glpat-of-the-analyst" in _read(Path("/proc") / server / "environ")

        again: list[str] = []
        assert Bench(desk).open(SMALL, {}, again.append) == found
        assert again == []
        assert [job[0] for job in cluster.jobs()] == [number]
        (line,) = bench.tell()
        assert line.split() == ["job", f"{number}:", "RUNNING", found.node]
    finally:
        assert bench.cancel() is True
    wait_for(lambda: "CANCELLED" in next(iter(bench.tell()), ""))
    assert bench.cancel() is False
    wait_for(lambda: not _listens(found.port))
    url = make_url(found.port, found.token, "DATA-1/requests/DATA-1/été.ipynb")
    assert f"/lab/tree/DATA-1/requests/DATA-1/%C3%A9t%C3%A9.ipynb?token={found.token}" in url


def _is_server(line: bytes, desk: Desk) -> bool:
    return b"jupyterlab" in line and os.fsencode(f"--config={desk.folder}") in line


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


def _listens(port: int) -> bool:
    try:
        status_of(port, "")
    except OSError:
        return False
    return True


def test_what_slurm_refuses_or_will_never_start_is_said_and_leaves_nothing(
    desk: Desk, cluster: TrialCluster
) -> None:
    with pytest.raises(EnvironmentFault, match=r"Slurm did not take the bench’s job: “.+”"):
        Bench(desk).open(Asked(1, 10_000_000), {}, print)
    assert list(Bench(desk).tell()) == []
    with pytest.raises(EnvironmentFault, match=r"would never start .*Partition(TimeLimit|Config)"):
        Bench(desk).open(Asked(24, 1000), {}, print)
    wait_for(lambda: cluster.jobs() == [])


def test_a_job_that_ends_while_its_server_starts_says_why(
    desk: Desk, cluster: TrialCluster
) -> None:
    with pytest.raises(EnvironmentFault, match=r"has ended \(FAILED\): .*ended while it was start"):
        Bench(desk).open(SMALL, {"PYTHONHOME": "/missing"}, print)
    told: list[str] = []
    with pytest.raises(ForeignFault), cluster.without_controller():
        Bench(desk).open(SMALL, {}, told.append)
    assert told == []  # while Slurm is silent nothing is handed over


def test_the_command_is_a_list_of_arguments(desk: Desk) -> None:
    executor = desk.settings.executor
    assert executor.kind == "slurm"
    chosen = executor.model_copy(update={"partition": "urgent", "account": "unit"})
    command = build_sbatch(SMALL, chosen, Path("/srv/100%/job-abc"), "/opt/python")
    assert {"--partition=urgent", "--account=unit", "--comment=wardbook-lab:abc"} <= {*command}
    assert {"--mem=1000M", "--time=60", "--output=/srv/100%%/job-abc/slurm.log"} <= {*command}
    assert command[-2:] == ["/opt/python", "/srv/100%/job-abc"]
