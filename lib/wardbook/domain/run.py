"""A run: what is asked of an engine, and what comes back.

Both travel as JSON files in the run's folder, so that an engine in another process, on another
node or in another language reads and writes the same. Layout of a run's folder:

    spec.json        the RunSpec
    notebook.ipynb   the request's notebook as it stands at the commit
    outputs/         what the notebook wrote: files and index.json (list of Output)
    executed.ipynb   the notebook with its outputs, also after a failure; stays on the secure side
    log.txt          what the engine and the kernel printed; stays on the secure side
    result.json      the RunResult, written last by rename: where it stands, the run has ended
    lock             held by the processes that execute the run; see `wardbook.engines.claim`
    scratch/         home, temporary files and sockets of those processes; gone when they are
    cancel           somebody wishes that the run ends
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from wardbook.domain.output import Output, OutputKind, Sensitivity
from wardbook.files import write_atomically
from wardbook.messages import Language

EngineName = Literal["warm", "kernel"]
"""How a notebook is executed: by a shell in a warm process, or by a Jupyter kernel of its own."""


class FailureKind(StrEnum):
    """Why a run ended without its outputs; each has a message of topic `failure`."""

    CELL_ERROR = "cell_error"
    DATA_PROBLEM = "data_problem"
    OUT_OF_MEMORY = "out_of_memory"
    OUT_OF_TIME = "out_of_time"
    KERNEL_DIED = "kernel_died"
    NODE_LOST = "node_lost"
    ENVIRONMENT_BROKEN = "environment_broken"
    OUTPUT_BROKEN = "output_broken"
    REQUEST_BROKEN = "request_broken"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class SourceFile:
    """One data source as this run reads it; `size` and `mtime_ns` are those it had when hashed."""

    path: str
    sha256: str
    sensitivity: Sensitivity
    size: int = -1
    mtime_ns: int = 0


@dataclass(frozen=True)
class RunSpec:
    """Everything a run needs. `parameters` are typed: dates are {"date": "2021-01-08"} in JSON.

    `period` is the one that a recurring request runs for. `partition` and `gres` are Slurm's words
    for where a job goes and what it needs beside processors and memory; "" leaves it to Slurm.
    `nodes` is how many nodes of such a size Dask has on Slurm, the run's own included.
    `open_to` are folders that the unit opens to every run, beside the run's own. `twins` are the
    sources that are synthetic stand-ins: whatever is made of them is no result.
    """

    key: str
    request: str
    template: str
    template_folder: str
    kernel: str
    language: Language
    parameters: Mapping[str, Any]
    sources: Mapping[str, SourceFile]
    engine: EngineName = "warm"
    period: str = ""
    cpus: int = 1
    memory_mb: int = 2048
    seconds: float = 600.0
    partition: str = ""
    gres: str = ""
    nodes: int = 1
    open_to: tuple[str, ...] = ()
    twins: tuple[str, ...] = ()

    @property
    def reads_only_public(self) -> bool:
        """Whether everything that the run reads is published already."""
        return all(s.sensitivity is Sensitivity.PUBLIC for s in self.sources.values())

    def write(self, folder: Path) -> None:
        """Write `spec.json` into the run's folder."""
        write_atomically(
            folder / "spec.json", json.dumps(asdict(self), ensure_ascii=False, indent=1)
        )

    @classmethod
    def read(cls, folder: Path) -> RunSpec:
        """Read `spec.json` from the run's folder."""
        raw = json.loads((folder / "spec.json").read_text(encoding="utf-8"))
        sources = {
            name: SourceFile(**(s | {"sensitivity": Sensitivity(s["sensitivity"])}))
            for name, s in raw.pop("sources").items()
        }
        return cls(sources=sources, **raw)


@dataclass(frozen=True)
class Failure:
    """Why a run failed, safe to tell: names, positions and codes, never a value or a message.

    `cell` counts code cells from 1, `line` counts lines in that cell from 1; `error_class` is the
    class name of the exception; `problem` is the code of a DataProblem and `details` its places.
    Other kinds have in `details` the limit that was reached or the name of the output.
    """

    kind: FailureKind
    cell: int | None = None
    line: int | None = None
    error_class: str | None = None
    problem: str | None = None
    details: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True)
class Usage:
    """What a run used of the machine: processor time in seconds, greatest resident memory."""

    cpu_seconds: float
    peak_mb: int


@dataclass(frozen=True)
class RunResult:
    """How a run ended. `failure` is None exactly when it succeeded; `seconds` is wall time.

    `used` is None where nothing was executed, or nobody is left to tell.
    """

    key: str
    started: str
    seconds: float
    outputs: tuple[Output, ...] = ()
    failure: Failure | None = None
    used: Usage | None = None

    def write(self, folder: Path) -> None:
        """Write `result.json` into the run's folder, by rename: the run has ended."""
        text = json.dumps(asdict(self), ensure_ascii=False, indent=1)
        write_atomically(folder / "result.json", text)

    @classmethod
    def read(cls, folder: Path) -> RunResult | None:
        """Read `result.json`, or None while the run has not ended."""
        try:
            raw = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        failure, used = raw.pop("failure"), raw.pop("used")
        outputs = (Output(**(o | {"kind": OutputKind(o["kind"])})) for o in raw.pop("outputs"))
        return cls(
            outputs=tuple(outputs),
            failure=Failure(**(failure | {"kind": FailureKind(failure["kind"])}))
            if failure
            else None,
            used=Usage(**used) if used else None,
            **raw,
        )
