"""Policies: the numbers of the disclosure rules, held as data in `policies/*.toml`.

A unit chooses one; a service or a template may ask for another, and the strictest of them holds.
Its name, version and the SHA-256 of its bytes are kept with every check, so that years later one
can tell by which rules something was let out. docs/disclosure.md explains every key.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from wardbook.domain.output import PolicyReference
from wardbook.errors import SettingsFault

Number = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(gt=0, lt=1)]
FileType = Annotated[str, Field(pattern=r"^\.[a-z0-9]{1,12}$")]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Dominance(_Model):
    """NK(n, k): the `largest` n contributions may not be more than the `share` k of a total."""

    largest: Annotated[int, Field(ge=1, le=10)]
    share: Share


class Approvals(_Model):
    """How many people other than the author must agree, by what is let out."""

    held: Number
    sensitive: Number
    model: Number


class Policy(_Model):
    """One policy, as its file says it; `digest` is the SHA-256 of the file."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,47}$")]
    version: Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)*$")]
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    minimum_count: Annotated[int, Field(ge=2)]
    zeros: Literal["allowed", "class", "held"]
    rounding_base: Number
    redact_up_to: Number
    p_ratio: Annotated[float, Field(ge=0, lt=1)]
    dominance: tuple[Dominance, ...]
    beyond_percentile: Number
    survival_count: Number
    degrees_of_freedom: Number
    extremes: Literal["hold", "refuse"]
    figures: Literal["from_tables", "hold"]
    models: Literal["hold", "refuse"]
    file_types: Annotated[tuple[FileType, ...], Field(min_length=1)]
    most_bytes: Number
    most_rows: Number
    approvals: Approvals

    @model_validator(mode="after")
    def _rounding_hides_what_is_redacted(self) -> Policy:
        first = self.redact_up_to + 1
        if first < self.minimum_count:
            raise ValueError(f"`redact_up_to` is at least {self.minimum_count - 1}: all too few")
        if _round(first, self.rounding_base) == _round(first - 1, self.rounding_base):
            whole = first
            while _round(whole, self.rounding_base) == _round(first, self.rounding_base):
                whole += 1
            raise ValueError(
                f"`redact_up_to` = {self.redact_up_to} cuts through the counts that round to "
                f"{_round(first, self.rounding_base)}, so that number would betray the others; "
                f"write {whole - 1}"
            )
        return self

    @property
    def reference(self) -> PolicyReference:
        """Which policy this is, as it is kept with every check."""
        return PolicyReference(self.name, self.version, self.digest)

    @property
    def contributors(self) -> int:
        """How many of the largest contributions to a cell the rules look at."""
        ratio = 2 if self.p_ratio else 0
        return max([ratio, *(rule.largest for rule in self.dominance)])


def publish_count(count: int, policy: Policy) -> int | None:
    """Return the count as a rounded table may show it; None where it is redacted.

    Each published number but 0 stands for `rounding_base` counts, none of them too small.
    """
    if count == 0 and policy.zeros != "held":
        return 0
    return None if count <= policy.redact_up_to else _round(count, policy.rounding_base)


def load_policy(file: Path) -> Policy:
    """Read one policy.

    Raises:
        SettingsFault: it cannot be read or is wrong; the message names file and key.
    """
    try:
        raw = file.read_bytes()
        told = tomllib.loads(raw.decode("utf-8"))
    except OSError:
        raise SettingsFault(f"{file} cannot be read. Put the policy there.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsFault(f"{file} is not readable as TOML: {error}. Mend that line.") from None
    if "digest" in told:
        raise SettingsFault(f"{file}: digest: it is computed from the file. Remove the line.")
    try:
        policy = Policy.model_validate(told | {"digest": hashlib.sha256(raw).hexdigest()})
    except ValidationError as error:
        raise SettingsFault(f"{file}: {_name_problems(error)}") from None
    if policy.name != file.stem:
        raise SettingsFault(f'{file}: name: "{policy.name}" must equal the file\'s name.')
    return policy


def load_policies(folder: Path) -> dict[str, Policy]:
    """Read every policy of a folder, by name.

    Raises:
        SettingsFault: one of them is wrong.
    """
    return {file.stem: load_policy(file) for file in sorted(folder.glob("*.toml"))}


def choose_policy(policies: Mapping[str, Policy], unit: str, asked: Mapping[str, str]) -> Policy:
    """Return the strictest of the unit's policy and those that somebody asks for.

    Args:
        policies: those that there are.
        unit: the name of the unit's.
        asked: who asks for one (`service X`, `template Y`): its name, "" for the unit's.

    Raises:
        SettingsFault: there is no such policy, or of two neither is the stricter.
    """
    chosen = _find(policies, unit, "[disclosure]")
    for who, name in asked.items():
        other = _find(policies, name, who) if name else chosen
        if not laxer_keys(other, chosen):
            chosen = other
        elif laxer_keys(chosen, other):
            keys = ", ".join(laxer_keys(other, chosen))
            raise SettingsFault(
                f"{who} asks for the policy {other.name!r}, which is laxer than {chosen.name!r} in "
                f"{keys}, and stricter in other things. Ask for one that is nowhere laxer."
            )
    return chosen


def laxer_keys(policy: Policy, than: Policy) -> tuple[str, ...]:
    """Name the keys in which a policy lets out what another does not."""
    return tuple(
        key
        for key, is_as_strict in SCALES.items()
        if not is_as_strict(getattr(policy, key), getattr(than, key))
    )


def _find(policies: Mapping[str, Policy], name: str, who: str) -> Policy:
    if name not in policies:
        raise SettingsFault(
            f"{who}: there is no policy {name!r}, only {', '.join(policies) or 'none'}."
        )
    return policies[name]


def _round(count: int, base: int) -> int:
    return (2 * count + base) // (2 * base) * base


def _at_least(one: int | float, other: int | float) -> bool:
    return one >= other


def _at_most(one: int | float, other: int | float) -> bool:
    return one <= other


def _later_of(*scale: str) -> Callable[[str, str], bool]:
    return lambda one, other: scale.index(one) >= scale.index(other)


def _dominance_is_as_strict(one: tuple[Dominance, ...], other: tuple[Dominance, ...]) -> bool:
    # The n largest are part of any more of them: a rule on more is as strict at the same share.
    return all(
        any(ours.largest >= theirs.largest and ours.share <= theirs.share for ours in one)
        for theirs in other
    )


def _approvals_are_as_many(one: Approvals, other: Approvals) -> bool:
    return all(getattr(one, key) >= getattr(other, key) for key in Approvals.model_fields)


SCALES: Mapping[str, Callable[[Any, Any], bool]] = {
    "minimum_count": _at_least,
    "zeros": _later_of("allowed", "class", "held"),
    "rounding_base": _at_least,
    "redact_up_to": _at_least,
    "p_ratio": _at_least,
    "dominance": _dominance_is_as_strict,
    "beyond_percentile": _at_least,
    "survival_count": _at_least,
    "degrees_of_freedom": _at_least,
    "extremes": _later_of("hold", "refuse"),
    "figures": _later_of("from_tables", "hold"),
    "models": _later_of("hold", "refuse"),
    "file_types": lambda one, other: set(one) <= set(other),
    "most_bytes": _at_most,
    "most_rows": _at_most,
    "approvals": _approvals_are_as_many,
}
"""For each key, whether the first of two values is at least as strict as the second."""


def _name_problems(error: ValidationError) -> str:
    lines = []
    for problem in error.errors(include_url=False, include_input=False):
        key = ".".join(str(part) for part in problem["loc"]) or "the file"
        lines.append(f"{key}: {problem['msg']}.")
    return " ".join(lines)
