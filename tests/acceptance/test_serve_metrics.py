"""`wardbook serve` answers Prometheus while it works, and nobody once it is stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.desk import open_desk
from tests.integration.test_unit_metrics import free_port, get


def test_serve_answers_and_stops(tmp_path: Path) -> None:
    with open_desk(tmp_path) as desk:
        port = free_port()
        settings = desk.world.settings
        text = settings.read_text(encoding="utf-8")
        settings.write_text(f"{text}\n[prometheus]\nport = {port}\n", encoding="utf-8")
        process = subprocess.Popen(
            [sys.executable, "-m", "pipelines.cli", "--settings", settings, "serve",
             "--every", "0.5"],
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, env=dict(os.environ),
        )  # fmt: skip
        try:
            told = wait_for_a_pass(port, process)
            assert 'wardbook_requests{state="answered"} 0.0' in told
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=120)
            assert process.returncode == 0
        finally:
            process.kill()
            process.communicate()
        with pytest.raises(OSError, match="refused"):
            get(port)


def wait_for_a_pass(port: int, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None, process.stderr and process.stderr.read()
        try:
            status, told = get(port)
        except OSError:
            time.sleep(0.1)  # it does not listen yet
            continue
        assert status == 200
        if "wardbook_pass_timestamp_seconds" in told:
            return told
        time.sleep(0.1)
    raise AssertionError("no pass was told")
