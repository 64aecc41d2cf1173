"""The watch for canaries: a test that lets one out fails, one that keeps it inside does not."""

from __future__ import annotations

import pytest

LEAKS = {
    "site": "(tmp_path / 'public').mkdir(); (tmp_path / 'public/x.html').write_text(c.name)",
    "share": "(tmp_path / 'share').mkdir(); (tmp_path / 'share/x.csv').write_text(c.nir)",
    "file name": "(tmp_path / f'{c.ipp}.txt').write_text('x')",
    "beside a figure": "(tmp_path / 'x.csv').write_text(f'38.5,{c.ipp},2')",
    "printed": "print(c.birth_date.isoformat())",
    "logged": "import logging; logging.getLogger('x').warning(c.phone)",
    "upper case": "(tmp_path / 'a').write_text(c.name.upper())",
    "escaped": "import json; (tmp_path / 'a').write_text(json.dumps(canaries.PATIENTS[2].name))",
    "ledger": "(tmp_path / 'state').mkdir(); (tmp_path / 'state/ledger.db-wal').write_text(c.name)",
    "sqlite": """
    import sqlite3
    with sqlite3.connect(tmp_path / 'gitlab.db') as db:
        db.execute('create table t (x)'); db.execute('insert into t values (?)', (c.name,))
    db.close()""",
    "gzip": "import gzip; (tmp_path / 'a.gz').write_bytes(gzip.compress(c.name.encode()))",
    "git": """
    import subprocess
    git = lambda *a: subprocess.run(['git', '-c', 'user.name=x', '-c', 'user.email=x@y', *a],
                                    cwd=tmp_path, check=True, capture_output=True)
    git('init'); (tmp_path / 'a').write_text(c.name); git('add', 'a'); git('commit', '-m', 'x')
    (tmp_path / 'a').unlink()""",
    "packed git": """
    import subprocess
    git = lambda *a: subprocess.run(['git', '-c', 'user.name=x', '-c', 'user.email=x@y', *a],
                                    cwd=tmp_path, check=True, capture_output=True)
    git('init'); (tmp_path / 'a').write_text(c.name * 9); git('add', 'a'); git('commit', '-m', 'x')
    git('gc'); (tmp_path / 'a').unlink()""",
}
INSIDE = {
    "run": "(tmp_path / 'spec.json').write_text('{}'); (tmp_path / 'x.csv').write_text(c.name)",
    "state": "(tmp_path / 'state').mkdir(); (tmp_path / 'state/x.csv').write_text(c.name)",
    "data": "(tmp_path / 'data').mkdir(); (tmp_path / 'data/stays.csv').write_text(c.name)",
    "a fraction's digits": "(tmp_path / 'x.json').write_text('[38.998999999999995]')",
    "nothing": "(tmp_path / 'x.csv').write_text('Cardiologie;12')",
}
TEST = """
from wardbook.hospital import canaries
c = canaries.PATIENTS[0]
def test_one(tmp_path):
    {body}
"""
# What the inner tests leave stands below this test's own temporary folder.
pytestmark = pytest.mark.secure("*")


def run_inner(pytester: pytest.Pytester, text: str) -> pytest.RunResult:
    pytester.makepyfile(text)
    return pytester.runpytest_inprocess("-p", "tests.canary_watch", "-p", "no:cacheprovider")


@pytest.mark.parametrize("way", LEAKS)
def test_a_test_that_lets_a_canary_out_fails(way: str, pytester: pytest.Pytester) -> None:
    done = run_inner(pytester, TEST.format(body=LEAKS[way]))
    done.assert_outcomes(passed=1, errors=1)
    assert done.ret == pytest.ExitCode.TESTS_FAILED
    done.stdout.fnmatch_lines(["*A canary is outside the secure side*"])


@pytest.mark.parametrize("way", INSIDE)
def test_what_stays_inside_is_no_leak(way: str, pytester: pytest.Pytester) -> None:
    run_inner(pytester, TEST.format(body=INSIDE[way])).assert_outcomes(passed=1)


def test_only_the_test_that_leaked_fails(pytester: pytest.Pytester) -> None:
    clean = "def test_other(tmp_path):\n    (tmp_path / 'a').write_text('x')\n"
    done = run_inner(pytester, clean + TEST.format(body=LEAKS["site"]) + clean.replace("r(", "r2("))
    done.assert_outcomes(passed=3, errors=1)
    done.stdout.fnmatch_lines(["*ERROR at teardown of test_one*"])


def test_a_test_may_name_what_is_inside(pytester: pytest.Pytester) -> None:
    text = TEST.replace("def test", "import pytest\n@pytest.mark.secure('public/*')\ndef test")
    run_inner(pytester, text.format(body=LEAKS["site"])).assert_outcomes(passed=1)
    run_inner(pytester, text.format(body=LEAKS["file name"])).assert_outcomes(passed=1, errors=1)


def test_what_a_wider_fixture_writes_is_found(pytester: pytest.Pytester) -> None:
    text = """
    import pytest
    from wardbook.hospital.canaries import PATIENTS
    @pytest.fixture(scope="module")
    def folder(tmp_path_factory):
        return tmp_path_factory.mktemp("wide")
    def test_one(folder):
        pass
    def test_two(folder):
        (folder / "a").write_text(PATIENTS[0].name)
    """
    done = run_inner(pytester, text)
    done.assert_outcomes(passed=2, errors=1)
    done.stdout.fnmatch_lines(["*ERROR at teardown of test_two*"])


def test_what_is_written_after_the_test_fails_the_session(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = """
    import pytest
    from wardbook.hospital.canaries import PATIENTS
    @pytest.fixture(scope="session")
    def late(tmp_path_factory):
        folder = tmp_path_factory.mktemp("late")
        yield
        (folder / "a").write_text(PATIENTS[0].name)
    def test_one(late, request):
        pass
    def test_two():
        pass
    """
    done = run_inner(pytester, text)
    assert done.ret == pytest.ExitCode.TESTS_FAILED
    done.stdout.fnmatch_lines(["*A canary is outside the secure side*"])
