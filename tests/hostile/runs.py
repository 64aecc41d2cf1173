"""Hostile texts where something runs: Python, R, the job's script, GnuPG, the ledger's database.

Each function takes texts and returns how many of them were executed: it counts the marker files
that stand afterwards, one for each text. The naive ways are those that are easily written.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from factories import NOON, make_ticket, take
from r_side import ask_r
from trial_runs import make_run

from pipelines.executors.slurm.submission import JOB_SCRIPT, Wanted, build_sbatch
from requests_sync.payloads import whole_text
from tests.hostile.texts import MARKER
from wardbook.domain.run import RunSpec
from wardbook.ledger import open_ledger
from wardbook.seal import Keyring, choose_recipient_key, seal
from wardbook.settings import SlurmSettings

Run = Callable[[Sequence[str], Path], int]


class Markers:
    """One file for each text, which only its execution makes; and what else may not come to be."""

    def __init__(self, folder: Path, texts: Sequence[str]) -> None:
        self.folder = folder / "markers"
        self.folder.mkdir()
        self.texts = [
            whole_text(text.replace(MARKER, str(self.folder / str(number))))
            for number, text in enumerate(texts)
        ]

    def count(self) -> int:
        """How many stand."""
        return len(list(self.folder.iterdir()))


# --- Python --------------------------------------------------------------------------------------

_READ = """
import json, wardbook as wb
told = wb.params().who
open("told.json", "w").write(json.dumps(told))
"""


def python_parameters(texts: Sequence[str], folder: Path) -> int:
    """As parameters of a run, read by a notebook's code in a process of its own."""
    markers = Markers(folder, texts)
    run = make_run(folder, "run", parameters={"who": markers.texts})
    environment = os.environ | {"WARDBOOK_RUN": str(run)}
    subprocess.run([sys.executable, "-c", _READ], cwd=folder, env=environment, check=True)
    assert json.loads((folder / "told.json").read_text()) == markers.texts
    return markers.count()


def python_pasted(texts: Sequence[str], folder: Path) -> int:
    """Naive: pasted between quotes into the notebook's source."""
    markers = Markers(folder, texts)
    return _execute_python([f'who = "{text}"' for text in markers.texts], folder, markers)


def python_names(texts: Sequence[str], folder: Path) -> int:
    """Naive: `papermill -p NAME 1`, whose names are pasted into the notebook's source."""
    from papermill.translators import PythonTranslator

    markers = Markers(folder, texts)
    names = [text.replace('"', "'") for text in markers.texts]
    names += [f"x = 1\n{text}\ny" for text in names]
    sources = [str(PythonTranslator.codify({name: 1})) for name in names]
    return _execute_python(sources, folder, markers)


def _execute_python(sources: Sequence[str], folder: Path, markers: Markers) -> int:
    (folder / "sources.json").write_text(json.dumps(sources))
    code = """
import json
for source in json.load(open("sources.json")):
    try:
        exec(source, {})
    except BaseException:
        pass
"""
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True, capture_output=True)
    return markers.count()


# --- R -------------------------------------------------------------------------------------------


def r_parameters(texts: Sequence[str], folder: Path) -> int:
    """As parameters of a run, read by R's side of the library."""
    markers = Markers(folder, [text for text in texts if _is_for_r(text)])
    run = make_run(folder, "run", parameters={"who": markers.texts})
    told = ask_r("answer(as.list(wardbook.params()$who))", folder, run=run)
    assert told == markers.texts
    return markers.count()


def r_pasted(texts: Sequence[str], folder: Path) -> int:
    """Naive: pasted between quotes into R's source."""
    markers = Markers(folder, [text for text in texts if _is_for_r(text)])
    script = """
    for (source in given) try(eval(parse(text = source), envir = new.env()), silent = TRUE)
    answer(TRUE)
    """
    sources = [f'who <- "{text}"' for text in markers.texts]
    ask_r(script, folder, given=sources)
    return markers.count()


def _is_for_r(text: str) -> bool:
    """R's strings hold no NUL: such a run is refused before it begins."""
    return "\0" not in text


# --- the job's script ----------------------------------------------------------------------------

_RECORDER = '#!/bin/sh\nprintf "%s\\n" "$@" >> "$0.told"\n'


def slurm_job(texts: Sequence[str], folder: Path) -> int:
    """Through the real command and the real script, run by a shell as Slurm does.

    The text stands in everything that a run has of its ticket, and in the path of the batch.
    """
    markers = Markers(folder, texts)
    python = folder / "python"
    python.write_text(_RECORDER)
    python.chmod(0o700)
    settings = SlurmSettings(kind="slurm")
    plain = Wanted.of(RunSpec("k", "k", "t", "/t", "python3", "fr", {}, {}), settings)
    for text in markers.texts:
        spec = RunSpec(text, text, text, text, text, "fr", {"who": text}, {}, period=text)
        batch = folder / (text.replace("\0", "").replace("/", "∕") or "x") / ("0" * 32)
        command = build_sbatch(Wanted.of(spec, settings), settings, batch, 1, str(python))
        assert command == build_sbatch(plain, settings, batch, 1, str(python)), "of the ticket"
        at = command.index(str(JOB_SCRIPT))
        subprocess.run(
            ["sh", *command[at:]],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "SLURM_ARRAY_TASK_ID": "0"},
            check=True,
        )
    told = Path(f"{python}.told").read_text(encoding="utf-8", errors="replace")
    assert told.count("wardbook.engines.node\n") == len(texts)
    return markers.count()


def slurm_pasted(texts: Sequence[str], folder: Path) -> int:
    """Naive: a job script with the ticket's title and the run's folder written into it."""
    markers = Markers(folder, texts)
    for number, text in enumerate(markers.texts):
        script = folder / f"{number}.sh"
        lines = f"#!/bin/sh\n#SBATCH --comment={text}\ntrue {text}\n"
        script.write_text(lines, encoding="utf-8", errors="replace")
        command = ["timeout", "5", "sh", str(script)]
        with (folder / "nothing").open("w+") as nothing:
            subprocess.run(command, cwd=folder, stdin=nothing, capture_output=True, check=False)
    return markers.count()


# --- GnuPG ---------------------------------------------------------------------------------------


def gpg_names(texts: Sequence[str], folder: Path) -> int:
    """As names of what is sealed, and of its plaintext, by the real gpg."""
    markers = Markers(folder, texts)
    out, data = folder / "out", folder / "data"
    out.mkdir()
    data.mkdir()
    home = folder / "gnupg"
    home.mkdir(mode=0o700)
    with Keyring(home) as keyring:
        signer = keyring.create_signing_key("Unit", "unit@hospital.example")
        block = keyring.export_public(signer)
        recipient = choose_recipient_key([block], signer, keyring, _now())
        for number, text in enumerate(markers.texts):
            name = text.replace("/", "∕").replace("\0", "")[:60].strip()
            plain = data / (name if name.strip(".") else f"x{number}")
            plain.write_bytes(b"secret")
            try:
                sealed = seal(
                    plain, out, recipients=[recipient], signer=signer, keyring=keyring, name=name
                )
            except ValueError:
                continue  # refused: no plain name
            assert sealed.path.parent == out
    assert not [file for file in folder.rglob("*") if file.is_file() and _is_leak(file, data)]
    return markers.count()


def gpg_pasted(texts: Sequence[str], folder: Path) -> int:
    """Naive: gpg is given a name where it also takes options."""
    markers = Markers(folder, texts)
    for text in markers.texts:
        words = ["gpg", "--homedir", str(folder), "--batch", text, "--list-keys"]
        if "\0" in text:
            continue
        subprocess.run(words, cwd=folder, input=b"", capture_output=True, check=False)
    return markers.count()


def _is_leak(file: Path, data: Path) -> bool:
    return file.parent != data and file.read_bytes() == b"secret"


def _now() -> datetime:

    return datetime.now(UTC)


# --- the ledger's database -----------------------------------------------------------------------


def ledger_fields(texts: Sequence[str], folder: Path) -> int:
    """As every text of a ticket, taken into the ledger; returns how much else changed."""
    markers = Markers(folder, texts)
    ledger = open_ledger(f"sqlite:///{folder / 'ledger.db'}")
    take(ledger, make_ticket(key="DATA-9999"))
    before = ledger.record("DATA-9999")
    names = ("summary", "description", "parameters", "reference", "purpose", "template", "labels")
    for number, text in enumerate(markers.texts):
        fields: dict[str, object] = dict.fromkeys(names[:-1], text)
        ticket = make_ticket(key=f"DATA-{number}", **fields, labels=(text,))
        taken = take(ledger, ticket)
        record = ledger.record(f"DATA-{number}")
        assert taken
        assert record is not None
        assert record.ticket == ticket
        ledger.bury_ticket(f"LOST-{number}", text, NOON)
        ledger.set_mark(text[:120] or "x", text)
        assert ledger.key_of_ticket(text) is None
    changed = ledger.record("DATA-9999") != before
    changed |= len(ledger.records()) != len(texts) + 1
    states = {str(record.state) for record in ledger.records()}
    ledger.close()
    return markers.count() + changed + (states != {"received"})


def sql_pasted(texts: Sequence[str], folder: Path) -> int:
    """Naive: pasted between quotes into a statement."""
    markers = Markers(folder, texts)
    harmed = 0
    for text in markers.texts:
        database = sqlite3.connect(":memory:")
        database.executescript(
            "create table requests (key, state); insert into requests values ('a', 'received')"
        )
        with suppress(sqlite3.Error, ValueError, UnicodeError):
            database.executescript(f"insert into requests values ('{text}', 'received');")
        try:
            kept = database.execute("select key, state from requests").fetchall()
        except sqlite3.Error:
            kept = []
        harmed += kept not in ([("a", "received")], [("a", "received"), (text, "received")])
        database.close()
    return harmed + markers.count()


@dataclass(frozen=True)
class Place:
    """Somewhere that something runs: our way, which gets every text, and the naive ways.

    These get the texts of one family alone: in the wrong hands others would do other harm.
    """

    name: str
    ours: Run
    naive: Sequence[Run]
    family: str


PLACES: tuple[Place, ...] = (
    Place("Python: parameters", python_parameters, (python_pasted, python_names), "python"),
    Place("R: parameters", r_parameters, (r_pasted,), "r"),
    Place("Slurm: job script and command", slurm_job, (slurm_pasted,), "shell"),
    Place("GnuPG: file names", gpg_names, (gpg_pasted,), "option"),
    Place("SQL: the ledger", ledger_fields, (sql_pasted,), "sql"),
)
