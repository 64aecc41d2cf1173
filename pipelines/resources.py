"""What a run asked of the machine beside what it used, for whoever sets a template's limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from wardbook.domain.run import RunResult, RunSpec


def compare_resources(spec: RunSpec, result: RunResult) -> dict[str, object]:
    """Return both for the detail of an event; `used` is None where nobody was left to tell."""
    asked: dict[str, object] = {
        "cpus": spec.cpus,
        "memory_mb": spec.memory_mb,
        "seconds": spec.seconds,
    }
    asked |= {
        name: word for name, word in (("partition", spec.partition), ("gres", spec.gres)) if word
    }
    if spec.nodes > 1:
        asked["nodes"] = spec.nodes
    return {"asked": asked, "used": asdict(result.used) if result.used else None}


def tell_resources(details: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
    """Return both in words, for the last run that has ended; empty where none has.

    Args:
        details: those of the request's events, in their order.
    """
    detail = next((one for one in reversed(details) if "asked" in one), None)
    if detail is None:
        return {}
    asked: Mapping[str, Any] = detail["asked"]
    words = [f"{asked['cpus']} cpu(s)", f"{asked['memory_mb']} MB", f"{asked['seconds']:g} s"]
    words += [f"{name} {asked[name]}" for name in ("partition", "gres", "nodes") if name in asked]
    used: Mapping[str, Any] | None = detail["used"]
    if used is None:
        told = f"not known; it took {detail['seconds']:g} s"
    else:
        told = (
            f"{used['cpu_seconds']:g} s of processor, {used['peak_mb']} MB, {detail['seconds']:g} s"
        )
    return {"asked": ", ".join(words), "used": told}
