"""Names of Pango lineages: aliases unfolded to the root, folded back, ancestors.

A name of more than three numbers gets an alias: JN.1 stands for B.1.1.529.2.86.1.1. Unfolded, a
name has all its ancestors as its beginnings. The rules are those of the Pango nomenclature (Rambaut
et al., Nat Microbiol 2020, doi 10.1038/s41564-020-0770-5; alias_key.json and lineage_notes.txt of
cov-lineages/pango-designation): A and B are roots, a recombinant (X…) is a root of its own with a
list of parents, an alias stands for what comes before its first number.

"None" is what Pangolin once called a sequence that it placed nowhere: it is kept as a lineage of
its own and never as a missing value. "Unassigned" is no lineage.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from wardbook.errors import DataProblem

FORM = re.compile(r"[A-Z]{1,3}(\.[0-9]{1,4})*")
NONE = "None"
UNASSIGNED = ("", "Unassigned")
OTHER = "OTHER"


@dataclass(frozen=True)
class Aliases:
    """What the first letters of a name stand for.

    `stands_for` has an unfolded name for each alias; `roots` are the letters that stand for
    themselves, recombinants among them. Without a key (`Aliases()`) names stay as they are.
    """

    stands_for: Mapping[str, str] = field(default_factory=dict)
    roots: frozenset[str] = frozenset()

    @cached_property
    def _aliases(self) -> Mapping[str, str]:
        return {full: alias for alias, full in self.stands_for.items()}

    def knows(self, name: str) -> bool:
        """Tell whether the name's first letters are in the key, or it is "None"."""
        letters = name.partition(".")[0]
        return name == NONE or letters in self.stands_for or letters in self.roots

    def unfold(self, name: str) -> str:
        """Return a name in full: JN.1 is B.1.1.529.2.86.1.1, XEC is XEC."""
        letters, dot, rest = name.partition(".")
        return f"{self.stands_for.get(letters, letters)}{dot}{rest}"

    def fold(self, full: str) -> str:
        """Return the short name of an unfolded one, by its longest beginning with an alias.

        The name of the alias itself, B.1.1.529.2.86.1, is BA.2.86.1: a bare JN is no lineage.
        """
        parts = full.split(".")
        for count in range(len(parts) - 1, 1, -1):
            alias = self._aliases.get(".".join(parts[:count]))
            if alias is not None:
                return ".".join([alias, *parts[count:]])
        return full


def parent_of(full: str) -> str | None:
    """Return the unfolded name of the parent; None of a root, and of "None"."""
    before, dot, _ = full.rpartition(".")
    return before if dot else None


def is_within(full: str, ancestor: str) -> bool:
    """Tell whether an unfolded name is `ancestor` or descends from it."""
    return full == ancestor or full.startswith(f"{ancestor}.")


def read_aliases(path: Path) -> Aliases:
    """Read an alias key: a JSON object of letters, each "" (a root), a name, or a list of parents.

    Raises:
        DataProblem: the file is not that; an alias stands for itself in a circle.
    """
    try:
        raw = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise DataProblem("file_missing", file=path.name) from None
    except OSError:
        raise DataProblem("file_unreadable", file=path.name) from None
    except ValueError:
        raise DataProblem("aliases_form", file=path.name) from None
    if not isinstance(raw, dict) or not raw:
        raise DataProblem("aliases_form", file=path.name)
    names, roots = {}, set()
    for letters, meaning in raw.items():
        if not FORM.fullmatch(letters) or not isinstance(meaning, str | list):
            raise DataProblem("aliases_form", file=path.name)
        if isinstance(meaning, list) or not meaning:
            roots.add(letters)
        elif FORM.fullmatch(meaning):
            names[letters] = meaning
        else:
            raise DataProblem("aliases_form", file=path.name)
    full = {letters: _resolve(letters, names, path.name) for letters in names}
    return Aliases(full, frozenset(roots))


def read_withdrawn(path: Path) -> frozenset[str]:
    """Read the list of lineages (`lineage_notes.txt`): the names that are withdrawn.

    Each line is a name, a tabulator and a note; a withdrawn name begins with an asterisk.

    Raises:
        DataProblem: the file is not that.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise DataProblem("file_missing", file=path.name) from None
    except OSError:
        raise DataProblem("file_unreadable", file=path.name) from None
    except UnicodeDecodeError:
        raise DataProblem("not_utf8", file=path.name, row=1) from None
    names = [line.partition("\t")[0].strip() for line in lines]
    if not names or names[0] != "Lineage":
        raise DataProblem("header_missing", file=path.name, row=1, expected="Lineage, Description")
    return frozenset(name.removeprefix("*") for name in names if name.startswith("*"))


def _resolve(letters: str, names: Mapping[str, str], file: str) -> str:
    """Return what an alias stands for, with the aliases in that unfolded too."""
    full, seen = names[letters], {letters}
    while (first := full.partition(".")[0]) in names:
        if first in seen:
            raise DataProblem("aliases_circle", file=file)
        seen.add(first)
        full = names[first] + full[len(first) :]
    return full
