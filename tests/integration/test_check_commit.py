"""`wardbook check-commit` in real repositories: before a commit, over a range, at the server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipelines.cli.main import wardbook
from wardbook.hospital.canaries import PATIENTS
from wardbook.identifiers.allowances import Allowances, read_allowances
from wardbook.identifiers.commits import check_files
from wardbook.identifiers.context import Context

PHONE = "tel = '06 12 34 56 78'\n"
NIR = "284077512345607"
WHO = {
    "GIT_AUTHOR_NAME": "x", "GIT_AUTHOR_EMAIL": "x@unit.invalid", "GIT_COMMITTER_NAME": "x",
    "GIT_COMMITTER_EMAIL": "x@unit.invalid", "GIT_CONFIG_GLOBAL": "/dev/null",
}  # fmt: skip


class Clone:
    """A git repository of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.git("init", "--quiet", "--initial-branch", "main")
        self.write("README.md", "Unit\n")
        self.commit("Begin")

    def git(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", *arguments], cwd=self.folder, env=os.environ | WHO, check=check,
            capture_output=True, text=True,
        )  # fmt: skip

    def write(self, name: str, content: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
        self.git("add", name)

    def commit(self, message: str) -> None:
        self.git("commit", "--quiet", "--no-verify", "-m", message)

    def check(self, *arguments: str, given: str = "") -> Result:
        return CliRunner().invoke(
            wardbook, ["check-commit", *arguments], input=given, standalone_mode=False
        )


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    made = Clone(tmp_path / "clone")
    monkeypatch.chdir(made.folder)
    return made


def notebook(**changes: object) -> str:
    cell = {"cell_type": "code", "execution_count": None, "id": "a", "metadata": {}, "outputs": [],
            "source": ["x = 1"]} | changes  # fmt: skip
    whole = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def test_a_clean_commit_passes(clone: Clone) -> None:
    clone.write("a.py", "x = 1\n")
    clone.write("n.ipynb", notebook())
    done = clone.check("--staged")
    assert (done.return_value, done.output) == (0, "")


def test_an_identifier_is_refused_with_file_line_kind_and_mending(clone: Clone) -> None:
    clone.write("src/a.py", f"x = 1\n{PHONE}")
    done = clone.check("--staged")
    assert done.return_value == 1
    assert "src/a.py:2: telephone number; take it out" in done.output
    assert "12 34" not in done.output


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"outputs": [{"output_type": "stream", "text": ["x"]}]}, "outputs"),
        ({"execution_count": 3}, "execution_count"),
        ({"attachments": {"a.png": {"image/png": "eA=="}}}, "attachments"),
        ({"metadata": {"tags": ["injected-parameters"]}}, "papermill"),
        ({"metadata": {"papermill": {"duration": 1.0}}}, "papermill"),
        ({"metadata": {"execution": {"iopub.execute_input": "2024"}}}, "papermill"),
        ({"source": ["open('/home/cmoreau/x.csv')"]}, "machine_path"),
        ({"source": [f"nir = '{NIR}'"]}, "nir"),
        ({"metadata": {"note": "né le 12/03/1954"}}, "birth_date"),
    ],
)
def test_a_notebook_that_was_run_is_refused(changes: dict[str, object], kind: str) -> None:
    files = [("n.ipynb", notebook(**changes).encode())]
    found = check_files(files, Allowances(), Context())
    assert kind in {one.kind for one in found}
    assert all(one.line > 1 for one in found)
    assert check_files([("n.ipynb", notebook().encode())], Allowances(), Context()) == ()


@pytest.mark.parametrize(
    ("metadata", "kind"),
    [
        (
            {"widgets": {"application/vnd.jupyter.widget-state+json": {"state": {"a": 1}}}},
            "widgets",
        ),
        ({"papermill": {"input_path": "x.ipynb"}}, "papermill"),
        ({"vscode": {"path": "C:\\Users\\cmoreau\\n.ipynb"}}, "not_stripped"),
    ],
)
def test_the_metadata_of_a_notebook_are_looked_at(metadata: dict[str, object], kind: str) -> None:
    whole = json.loads(notebook()) | {"metadata": metadata}
    found = check_files([("n.ipynb", json.dumps(whole).encode())], Allowances(), Context())
    assert kind in {one.kind for one in found}


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.parquet", "data_file"), ("x/.netrc", "data_file"), ("id_ed25519", "data_file"),
     ("run/executed.ipynb", "data_file"), (f"stay_{NIR}.txt", "nir"),
     ("n.ipynb", "notebook_broken")],
)  # fmt: skip
def test_a_file_is_refused_by_its_name(name: str, kind: str) -> None:
    assert kind in {one.kind for one in check_files([(name, b"x")], Allowances(), Context())}
    assert check_files([("a.txt", b"x")], Allowances(), Context()) == ()


def test_what_one_commit_brings_and_the_next_removes_is_found(clone: Clone) -> None:
    clone.write("a.py", PHONE)
    clone.commit("Add")
    clone.write("a.py", "")
    clone.commit("Remove")
    assert clone.check("HEAD~2..HEAD").return_value == 1
    assert clone.check("HEAD~1..HEAD").return_value == 0


def test_a_commits_message_is_looked_at(clone: Clone) -> None:
    clone.write("a.py", "x = 1\n")
    clone.commit(f"Mend the stay of {NIR}")
    done = clone.check("HEAD~1..HEAD")
    assert done.return_value == 1
    assert "social security number" in done.output and NIR not in done.output


ALLOW = """
[[allow]]
path = "tests/*"
kinds = ["phone"]
reason = "numbers kept for fiction"
"""


def test_a_test_value_may_be_allowed_with_its_reason(clone: Clone) -> None:
    clone.write("tests/deep/a.py", PHONE)
    clone.write(".wardbook-allow.toml", ALLOW)
    assert clone.check("--staged").return_value == 0
    clone.write("src/a.py", PHONE)
    clone.write("tests/b.py", f"nir = '{NIR}'\n")
    told = clone.check("--staged").output
    assert "src/a.py:1" in told and "tests/b.py:1" in told and "deep" not in told


@pytest.mark.parametrize(
    "line", ['reason = ""', 'reason = "x"', "", 'reson = "numbers of fiction"']
)
def test_an_allowance_without_a_reason_is_refused(line: str) -> None:
    from wardbook.errors import Refusal

    text = ALLOW.replace('reason = "numbers kept for fiction"', line)
    with pytest.raises(Refusal, match="reason"):
        read_allowances(text.encode())


def test_the_server_refuses_a_push_that_allows_itself(
    clone: Clone, root: Path, tmp_path: Path
) -> None:
    server = tmp_path / "server.git"
    clone.git("clone", "--quiet", "--bare", str(clone.folder), str(server))
    hook = server / "hooks" / "pre-receive"
    shipped = (root / "hooks" / "pre-receive").read_text()
    command = f"env PYTHONPATH={root}/lib:{root} {sys.executable} -m pipelines.cli check-commit"
    hook.write_text(shipped.replace("exec wardbook check-commit", f"exec {command}"))
    hook.chmod(0o755)
    clone.git("checkout", "--quiet", "-b", "work")
    clone.write("a.py", "x = 1\n")
    clone.commit("Add")
    assert clone.git("push", str(server), "work", check=False).returncode == 0
    clone.write("tests/a.py", PHONE)
    clone.write(".wardbook-allow.toml", ALLOW)
    clone.commit("Allow myself")
    refused = clone.git("push", str(server), "work", check=False)
    assert refused.returncode != 0
    assert "tests/a.py:1: telephone number" in refused.stderr
    assert clone.git("push", str(server), ":work", check=False).returncode == 0


def test_a_requests_branch_cannot_allow_itself_and_another_shows_it_to_reviewers(
    clone: Clone,
) -> None:
    for branch, verdict in (("work", 0), ("request/DATA-12", 1)):
        clone.git("checkout", "--quiet", "-b", branch, "main")
        clone.write("tests/a.py", PHONE)
        clone.write(".wardbook-allow.toml", ALLOW)
        clone.commit("Allow myself")
        assert clone.check("main..HEAD").return_value == verdict
    clone.git("checkout", "--quiet", "-B", "main", "work")
    clone.git("checkout", "--quiet", "-B", "request/DATA-12")
    clone.write("tests/b.py", PHONE)
    clone.commit("As main allows")
    assert clone.check("main..HEAD").return_value == 0


def test_one_question_at_a_time(clone: Clone) -> None:
    for arguments in ((), ("--staged", "HEAD"), ("--", "--output=x")):
        done = clone.check(*arguments)
        assert done.exception is not None
    assert clone.check("nothing..HEAD").exception is not None


def test_the_files_of_this_repository_pass(root: Path) -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True)
    names = [name.decode() for name in listed.stdout.split(b"\0") if name]
    files = [(name, (root / name).read_bytes()) for name in names if (root / name).is_file()]
    allowed = read_allowances((root / ".wardbook-allow.toml").read_bytes())
    assert check_files(files, allowed, Context()) == ()
    leaked = [("lib/x.py", PATIENTS[0].name.encode())]
    assert check_files(leaked, allowed, Context())


def test_a_replaced_commit_is_looked_at_as_it_is(clone: Clone) -> None:
    clone.write("a.py", "x = 1\n")
    clone.commit("Add")
    clean = clone.git("rev-parse", "HEAD").stdout.strip()
    clone.git("reset", "--quiet", "--hard", "HEAD~1")
    clone.write("a.py", PHONE)
    clone.commit("Add")
    bad = clone.git("rev-parse", "HEAD").stdout.strip()
    clone.git("replace", bad, clean)
    assert "06 12" not in clone.git("show", bad).stdout
    assert "telephone number" in clone.check("HEAD~1..HEAD").output


def test_a_place_in_a_notebook_has_the_number_of_its_cell(clone: Clone) -> None:
    clone.write("n.ipynb", notebook(source=["# 06 12 34 56 78"]))
    assert "n.ipynb:10 (cell 1): telephone number" in clone.check("--staged").output
    clone.write(
        "n.ipynb", notebook().replace('"metadata": {},\n "nbf', '"metadata": {"a": 1},\n "nbf')
    )
    assert "n.ipynb:14: the notebook is not in git's one form" in clone.check("--staged").output
