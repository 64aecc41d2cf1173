"""`wardbook lab`: JupyterLab started once, found again, ended; and every way in which it cannot."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from bench_world import BenchWorld
from sample_settings import load_sample
from trial_runs import wait_until

from pipelines.bench import launch
from pipelines.bench.desk import Desk
from pipelines.bench.jupyter import berth_here, find_panel, prepare, tell_disk, write_config
from pipelines.bench.launch import ensure_running, start, tell_end, tell_running
from pipelines.bench.running import Berth, Running, answers, end, find_process, find_running
from pipelines.cli.main import main
from wardbook.errors import EnvironmentFault
from wardbook.messages import say

pytestmark = pytest.mark.xdist_group("bench")


def make_desk(folder: Path, port: int = 18_800) -> Desk:
    settings = load_sample(folder)
    bench = settings.bench.model_copy(update={"folder": folder / "bench", "port": port})
    return Desk(settings.model_copy(update={"bench": bench}), "en")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return make_desk(tmp_path)


@dataclass(frozen=True)
class Bench:
    desk: Desk
    running: Running
    beginnings: list[bool]
    taken: int


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A server that two commands wanted at once, while its first port was taken."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        desk = make_desk(tmp_path_factory.mktemp("lab"), port)
        try:
            with ThreadPoolExecutor(2) as pool:
                calls = [pool.submit(ensure_running, desk, {}) for _ in range(2)]
                found = [call.result() for call in calls]
            assert found[0][0] == found[1][0]
            yield Bench(desk, found[0][0], [started for _, started in found], port)
        finally:
            end(berth_here(desk))


def ask(running: Running, path: str, token: str = "", **headers: str) -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", running.port, timeout=10)
    if token:
        headers["Authorization"] = f"token {token}"
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


# --- one server ------------------------------------------------------------------------------


def test_two_calls_at_once_start_one_and_a_taken_port_is_passed_over(bench: Bench) -> None:
    assert sorted(bench.beginnings) == [False, True]
    assert bench.taken < bench.running.port < bench.taken + launch.PORTS
    found, started = ensure_running(bench.desk, {})
    assert (found, started) == (bench.running, False)
    (line,) = tell_running(bench.desk)
    assert str(bench.running.port) in line
    assert bench.running.token not in line


def test_only_who_has_the_token_gets_in_and_only_by_this_machines_name(bench: Bench) -> None:
    running = bench.running
    assert ask(running, "/api/status", running.token)[0] == 200
    assert ask(running, "/api/status")[0] == 403
    assert ask(running, "/api/status", running.token, Host="evil.example")[0] == 403
    listening = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    ours = [line.split()[1] for line in listening.splitlines() if f":{running.port:04X} " in line]
    assert {place for place in ours if place.endswith(f":{running.port:04X}")} >= {
        f"0100007F:{running.port:04X}"
    }
    assert not any(place.startswith("00000000") for place in ours)


def test_the_token_stands_in_closed_files_alone(bench: Bench) -> None:
    token = os.fsencode(bench.running.token)
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            for part in ("cmdline", "environ"):
                try:
                    assert token not in (entry / part).read_bytes(), (entry.name, part)
                except OSError:
                    continue
    own = berth_here(bench.desk).folder.parent
    holding = [f for f in own.rglob("*") if f.is_file() and token in f.read_bytes()]
    assert berth_here(bench.desk).config in holding  # the control: it is found where it stands
    assert {stat.S_IMODE(file.stat().st_mode) for file in holding} == {0o600}
    assert stat.S_IMODE(bench.desk.private.stat().st_mode) == 0o700
    assert token not in berth_here(bench.desk).log.read_bytes()


def test_jupyterlab_is_the_benchs_own_and_calls_nobody(bench: Bench) -> None:
    environ = Path(f"/proc/{bench.running.pid}/environ").read_bytes().split(b"\0")
    given = dict(line.decode().partition("=")[::2] for line in environ if b"=" in line)
    own = str(berth_here(bench.desk).folder.parent)
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        assert given[name].startswith(own), name
    status, page = ask(bench.running, "/lab", bench.running.token)
    assert status == 200
    _, _, rest = page.decode().partition('id="jupyter-config-data"')
    told = json.loads(rest.partition(">")[2].partition("</script>")[0])
    assert told["buildAvailable"] is told["buildCheck"] is False
    disabled = told["disabledExtensions"]
    assert "@jupyterlab/apputils-extension:announcements" in disabled
    assert told["extensionManager"]["can_install"] is False
    extensions = [one["name"] for one in told["federated_extensions"]]
    assert "nbdime-jupyterlab" in extensions
    assert ("wardbook-bench" in extensions) is (find_panel() is not None)


# --- what a note says is not believed ----------------------------------------------------------


class _Listener(BaseHTTPRequestHandler):
    heard: list[str]

    def do_GET(self) -> None:
        type(self).heard.append(str(self.headers.get("Authorization")))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        del format, args


def test_a_stranger_on_the_noted_port_never_gets_the_token(desk: Desk) -> None:
    handler = type("Handler", (_Listener,), {"heard": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        berth = berth_here(desk)
        berth.lay_out()
        stale = berth.runtime / f"jpserver-{os.getpid()}.json"
        stale.write_text(json.dumps({"port": server.server_port, "token": "secret"}))
        assert find_running(berth) is None
        assert handler.heard == []
        assert not stale.exists()
        # the control: asked directly, this listener passes for a server
        assert answers(Running(os.getpid(), server.server_port, "secret"))
        assert handler.heard == ["token secret"]
    finally:
        server.shutdown()
        server.server_close()


# --- where it cannot ---------------------------------------------------------------------------


def test_a_server_that_dies_while_starting_says_its_last_line(desk: Desk) -> None:
    berth = berth_here(desk)
    prepare(desk, berth)
    write_config(desk, berth, "the-token")
    with pytest.raises(EnvironmentFault, match=r"ended while it was starting: .*no Python frame"):
        start(berth, 18_820, "en", {"PYTHONHOME": str(desk.folder / "missing")})
    assert find_process(berth) is None
    berth.log.write_text("begun\nno room for ?token=the-token \x1b[2J\n\n")
    assert tell_end(berth) == "no room for ?token=… \\u001b[2J"


def test_no_free_port(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "PORTS", 1)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EnvironmentFault, match=f"No port from {port} to {port} is free"):
            start(Berth(desk.folder), port, "en", {})


def test_a_folder_that_cannot_be_written_and_a_full_disk(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "bench").write_text("a file")
    with pytest.raises(EnvironmentFault, match="cannot be written"):
        ensure_running(desk, {})
    full = pytest.raises(EnvironmentFault, match=r"The disk of .* is full")
    with full, tell_disk(desk):
        Path("/dev/full").write_bytes(b"x")
    with pytest.raises(FileNotFoundError), tell_disk(desk):  # what is neither stays what it is
        (tmp_path / "missing").read_bytes()


def test_jupyterlab_is_missing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jupyterlab", None)
    with pytest.raises(EnvironmentFault, match="JupyterLab is not installed"):
        ensure_running(desk, {})


# --- the command -------------------------------------------------------------------------------


def test_the_command_opens_a_request_and_prints_one_address(
    bench: Bench,
    bench_world: BenchWorld,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    key = bench_world.prepare("report")
    for name, word in bench_world.environment().items():
        monkeypatch.setenv(name, word)
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.7 50000 192.0.2.1 22")
    words = ["lab", key, "--folder", str(bench.desk.folder), "--language", "en"]
    assert main(words) == 0
    said = capsys.readouterr()
    tunnel, address = said.out.splitlines()
    port = bench.running.port
    assert f"ssh -N -L {port}:127.0.0.1:{port} " in tunnel
    url = urlsplit(address)
    assert parse_qs(url.query)["token"] == [bench.running.token]
    assert url.netloc == f"127.0.0.1:{port}"
    assert url.path == f"/lab/tree/{key}/requests/{key}/notebook.ipynb"
    assert bench.running.token not in said.err
    assert say("en", "bench.launch_found") in said.err
    assert (bench.desk.folder / f"{key}/requests/{key}/notebook.ipynb").is_file()
    # no such request, in the analyst's language and with the project's exit code
    assert main(["lab", "DATA-99999", "--folder", str(bench.desk.folder), "--language", "fr"]) == 1
    assert say("fr", "bench.card_unknown", key="DATA-99999") in capsys.readouterr().err
    assert main(["lab", "nonsense", "--folder", str(bench.desk.folder)]) == 1
    # the demonstration's runs do not go to Slurm
    assert main(["lab", "--on", "slurm", "--folder", str(bench.desk.folder)]) == 3
    assert "[executor]" in capsys.readouterr().err


# --- and last, for it ends the server


def test_what_was_saved_outlives_a_server_that_is_killed(bench: Bench) -> None:
    desk, first = bench.desk, bench.running
    body = json.dumps({"type": "file", "format": "text", "content": "kept\n"})
    connection = HTTPConnection("127.0.0.1", first.port, timeout=10)
    authorized = {"Authorization": f"token {first.token}"}
    connection.request("PUT", "/api/contents/notes.md", body, authorized)
    assert connection.getresponse().status == 201
    os.kill(first.pid, signal.SIGKILL)
    wait_until(lambda: find_process(berth_here(desk)) is None, 10)
    second, started = ensure_running(desk, {})
    assert started
    assert second.pid != first.pid
    assert second.token != first.token
    assert b"kept" in ask(second, "/api/contents/notes.md", second.token)[1]
    assert (desk.folder / "notes.md").read_text() == "kept\n"
    assert end(berth_here(desk)) is True
    assert not answers(second)
    assert end(berth_here(desk)) is False
