"""Where runs are executed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    Tag,
    field_validator,
)

from wardbook.settings.section import Section


class DaskSettings(Section):
    """Runs go to a Dask cluster, on this machine unless an address is given."""

    kind: Literal["dask"] = "dask"
    workers: Annotated[int, Field(ge=1)] = 2
    address: str | None = None


def _is_one_word(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_.,:@+-]{0,100}", text) is None or text.startswith("-"):
        raise ValueError(
            "a word of Slurm's has letters, digits and _.,:@+- only, no blank and no line break; "
            "write it as `sinfo` or `sacctmgr show` does, or leave the line out"
        )
    return text


SlurmWord = Annotated[str, AfterValidator(_is_one_word)]


class SlurmSettings(Section):
    """Runs go to Slurm, one job each. What is left out, or empty, is left to Slurm.

    `python` is the interpreter on the nodes that has Wardbook, this one's path by default; `conf`
    is the cluster's slurm.conf where Slurm does not find it by itself; `accounting` says that
    `sacct` may be asked for jobs that the controller has forgotten; `largest_array` is at most
    Slurm's own MaxArraySize less one.
    """

    kind: Literal["slurm"]
    partition: SlurmWord = ""
    account: SlurmWord = ""
    qos: SlurmWord = ""
    python: Path | None = None
    conf: Path | None = None
    accounting: bool = False
    largest_array: Annotated[int, Field(ge=1, le=100_000)] = 500

    @field_validator("python")
    @classmethod
    def _must_be_absolute(cls, python: Path | None) -> Path | None:
        if python is not None and (not python.is_absolute() or not str(python).isprintable()):
            raise ValueError("write the whole path of the interpreter on the nodes, from /")
        return python


def _read_kind(given: object) -> object:
    return given.get("kind", "dask") if isinstance(given, dict) else getattr(given, "kind", None)


ExecutorSettings = Annotated[
    Annotated[DaskSettings, Tag("dask")] | Annotated[SlurmSettings, Tag("slurm")],
    Discriminator(
        _read_kind,
        custom_error_type="executor_kind",
        custom_error_message='kind is "dask" or "slurm"',
    ),
]
