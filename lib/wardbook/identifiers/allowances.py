"""Test values that may be committed: the file `.wardbook-allow.toml`, each entry with its reason.

[[allow]]
path = "tests/*"                # a pattern of file names, `*` crosses folders
kinds = ["phone", "outputs"]    # as the check names them
reason = "numbers of the range that Arcep keeps for fiction"
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from wardbook.errors import Refusal

FILE = ".wardbook-allow.toml"


class Allowance(BaseModel):
    """Kinds that files of a pattern may hold, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = Field(min_length=2)
    kinds: tuple[str, ...] = Field(min_length=1)
    reason: str = Field(min_length=10)


class _Allowed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    allow: tuple[Allowance, ...] = ()


@dataclass(frozen=True)
class Allowances:
    """What a repository allows."""

    entries: tuple[Allowance, ...] = ()

    def allow(self, path: str, kind: str) -> bool:
        """Whether a kind may stand in a file."""
        return any(kind in entry.kinds and fnmatchcase(path, entry.path) for entry in self.entries)


def read_allowances(content: bytes | None) -> Allowances:
    """Read the file's content; None where there is no file.

    Raises:
        Refusal: it is not as described above.
    """
    if content is None:
        return Allowances()
    try:
        return Allowances(_Allowed.model_validate(tomllib.loads(content.decode())).allow)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Refusal(f"{FILE} is not readable as TOML: {error}. Mend that line.") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        raise Refusal(
            f"{FILE}: {key}: {first['msg']}. Each entry has path, kinds and a reason of at least "
            "ten characters."
        ) from None
