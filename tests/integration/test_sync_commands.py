"""`wardbook sync`, `sync --dry-run`, `drift` and `status`, as an operator calls them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipelines.cli.main import FAULT, REFUSED, main
from pipelines.demo.world import BOT, DIRECTION, PROJECTS
from tests.desk import Desk
from wardbook.sandbox import Fault

pytestmark = pytest.mark.xdist_group("sync_commands")


class Operator:
    """Calls the command line and keeps what it printed."""

    def __init__(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        self._file, self._capsys = str(desk.world.settings), capsys

    def call(self, *arguments: str) -> tuple[int, str]:
        self._capsys.readouterr()
        code = main(["--settings", self._file, *arguments])
        return code, self._capsys.readouterr().out

    def ask(self, *arguments: str) -> tuple[int, Any]:
        code, out = self.call(*arguments, "--json")
        return code, json.loads(out)


@pytest.fixture
def operator(desk: Desk, capsys: pytest.CaptureFixture[str]) -> Operator:
    return Operator(desk, capsys)


def test_a_rehearsal_is_told_before_it_is_done(desk: Desk, operator: Operator) -> None:
    key = desk.file()
    desk.jira().add_comment(key, "une question de soins")
    code, told = operator.ask("sync", "--dry-run")
    assert code == 0
    assert {one["request"] for one in told["would"]} == {key}
    assert desk.writes() == []
    code, out = operator.call("sync", "--dry-run")
    assert "gitlab.issue" in out
    assert "une question" not in out, "a terminal's log is no place for what people write"
    assert operator.call("sync", "--workers", "2")[0] == 0
    assert len(desk.writes()) == len(told["would"])
    assert operator.call("sync", "--dry-run")[1] == "Would be done: nothing.\n"


def test_drift_is_told_and_repaired(desk: Desk, operator: Operator) -> None:
    key = desk.file()
    desk.jira().add_comment(key, "une question")
    operator.call("sync")
    assert operator.call("drift") == (0, "Both sides agree.\n")
    issue = desk.issue(key, BOT)
    next(note for note in issue.notes.list(iterator=True) if not note.system).delete()
    code, rows = operator.ask("drift", key)
    assert code == REFUSED
    assert [row["what"] for row in rows] == ["missing"]
    assert "not copied" in operator.call("drift")[1]
    assert operator.ask("drift", "--repair")[0] == 0
    assert operator.call("drift") == (0, "Both sides agree.\n")
    assert len(desk.notes(key)) == 1


def test_a_server_that_is_away_is_told_with_what_to_do(desk: Desk, operator: Operator) -> None:
    operator.call("sync")
    desk.sandbox.faults.add(Fault("gitlab", "503"))
    desk.file()
    code, told = operator.ask("sync")
    assert code == FAULT
    assert "HTTP 503" in told["faults"]["gitlab"]
    assert "tried again" in told["faults"]["gitlab"]
    assert operator.call("status")[0] == REFUSED


def test_what_cannot_be_copied_is_shown(desk: Desk, operator: Operator) -> None:
    key = desk.file()
    file = desk.world.folder / "mesures.csv"
    file.write_bytes(b"a;b\n")
    desk.jira().add_attachment(key, str(file))
    with desk.sandbox.store.transaction(write=True) as records:
        project = records.find("gitlab.project", PROJECTS[DIRECTION])
        assert project is not None
        records.save("gitlab.project", project | {"upload_limit": 1})
    operator.call("sync")
    code, told = operator.ask("status")
    assert code == 0, "an operator need not act"
    (one,) = told["not_copied"]
    assert one["request"] == key
    assert "HTTP 413" in one["reason"]
