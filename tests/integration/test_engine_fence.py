"""What a notebook can reach: its own folder, its sources, the system; nobody else's anything."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from trial_runs import make_run

from wardbook.domain.output import Sensitivity
from wardbook.domain.run import SourceFile
from wardbook.engines.fence import has_fence
from wardbook.engines.warm_engine import WarmEngine
from wardbook.files import hash_file

pytestmark = pytest.mark.skipif(not has_fence(), reason="this kernel has no Landlock")
CANARY = "Dupont-1957"


@pytest.fixture(scope="module")
def engine() -> Iterator[WarmEngine]:
    engine = WarmEngine(())
    yield engine
    engine.close()


def attempt(engine: WarmEngine, folder: Path) -> Mapping[str, str]:
    """Execute a run whose notebook prints JSON as its last output; return that."""
    result = engine.execute(folder)
    assert result.failure is None
    notebook = json.loads((folder / "executed.ipynb").read_text())
    tried: Mapping[str, str] = json.loads("".join(notebook["cells"][-1]["outputs"][-1]["text"]))
    return tried


def trying(**attempts: str) -> str:
    """Return a cell that evaluates each expression and prints what became of it."""
    lines = ["import json, os, pathlib, signal, socket, subprocess", "became = {}"]
    for name, expression in attempts.items():
        lines += [
            "try:",
            f"    became[{name!r}] = str({expression})",
            "except OSError as error:",
            f"    became[{name!r}] = type(error).__name__",
        ]
    return "\n".join([*lines, "print(json.dumps(became))"])


@pytest.mark.parametrize("mode", ["warm", "kernel"])
def test_what_a_notebook_can_reach(tmp_path: Path, engine: WarmEngine, mode: str) -> None:
    stays, outside = tmp_path / "stays.csv", tmp_path / "outside"
    stays.write_text("day,n\n")
    outside.mkdir()
    (outside / "secret.txt").write_text(CANARY)
    other = make_run(tmp_path, "other", "1")
    with subprocess.Popen(["sleep", "60"], env={"TOKEN": CANARY}) as victim:
        folder = make_run(
            tmp_path,
            "run",
            trying(
                source=f"pathlib.Path({str(stays)!r}).read_text()",
                own_output="pathlib.Path('../../outputs/x').write_text('x')",
                own_home="pathlib.Path('x').write_text('x')",
                shared_memory="pathlib.Path('/dev/shm', f'{os.getpid()}').write_text('x')",
                command="subprocess.run(['date', '-u', '+%Z'], stdout=-1).stdout",
                source_written=f"pathlib.Path({str(stays)!r}).write_text('x')",
                own_spec="pathlib.Path('../../spec.json').write_text('{}')",
                own_result="pathlib.Path('../../result.json').write_text('{}')",
                own_notebook="pathlib.Path('../../notebook.ipynb').unlink()",
                secret=f"pathlib.Path({str(outside / 'secret.txt')!r}).read_text()",
                by_command=f"subprocess.call(['cat', {str(outside / 'secret.txt')!r}], stderr=-3)",
                other_run=f"os.listdir({str(other)!r})",
                home=f"os.listdir({str(Path.home())!r})",
                passwords="open('/etc/shadow').read()",
                environment=f"open('/proc/{victim.pid}/environ').read()",
                engine=f"open('/proc/{os.getpid()}/environ').read()",
                keeper="open(f'/proc/{os.getppid()}/environ').read()",
                signal=f"os.kill({victim.pid}, signal.SIGTERM)",
            ),
            open_to=[],
            sources={"stays": SourceFile(str(stays), hash_file(stays), Sensitivity.PUBLIC)},
            engine=mode,
        )
        became = dict(attempt(engine, folder))
        assert victim.poll() is None
        victim.kill()
    assert became.pop("source") == "day,n\n"
    assert became.pop("command") == "b'UTC\\n'"
    assert [became.pop(own) for own in ("own_output", "own_home", "shared_memory")] == ["1"] * 3
    assert became.pop("by_command") == "1"
    assert set(became.values()) == {"PermissionError"}, became


def test_a_folder_opened_by_the_unit_is_reached(tmp_path: Path, engine: WarmEngine) -> None:
    """The same attempts without the fence's own doing: what is refused above is refused by it."""
    (tmp_path / "secret.txt").write_text(CANARY)
    folder = make_run(
        tmp_path,
        "run",
        trying(
            secret=f"pathlib.Path({str(tmp_path / 'secret.txt')!r}).read_text()",
            own_spec="pathlib.Path('../../spec.json').open('a').tell() > 0",
        ),
        open_to=[str(tmp_path)],
    )
    assert attempt(engine, folder) == {"secret": CANARY, "own_spec": "True"}


def test_a_notebook_holds_no_handle_of_another_run(tmp_path: Path, engine: WarmEngine) -> None:
    links = "(f'/proc/self/fd/{fd}' for fd in os.listdir('/proc/self/fd'))"
    names = f"[os.readlink(link) for link in {links} if os.path.lexists(link)]"
    folder = make_run(tmp_path, "run", trying(handles=f"json.dumps({names})"), open_to=[])
    handles = json.loads(attempt(engine, folder)["handles"])
    own = [h for h in handles if h.startswith(str(folder))]
    assert f"{folder}/lock" not in own, "a notebook could let go of its run's claim"
    assert f"{folder}/log.txt" in own
    files = [h for h in handles if h.startswith("/") and h not in own and h != os.devnull]
    assert files == []
    # The event loop's own pair of sockets, made in this process.
    assert len([h for h in handles if h.startswith("socket:")]) == 2


def test_an_unfenced_process_reads_what_a_fenced_one_does_not(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(CANARY)
    code = (
        "import sys; from pathlib import Path\n"
        "from wardbook.engines.fence import fence_in\n"
        "if sys.argv[2] == 'fenced': fence_in([Path('/usr')], [])\n"
        "print(Path(sys.argv[1]).read_text())"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "secret")]
    for state, expected in (("free", 0), ("fenced", 1)):
        done = subprocess.run([*command, state], capture_output=True, text=True)
        assert done.returncode == expected
        assert (CANARY in done.stdout) == (expected == 0)
