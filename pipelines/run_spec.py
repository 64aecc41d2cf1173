"""What an engine is asked, as a template declares it: for requests, by hand and on the bench."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wardbook.domain.run import RunSpec, SourceFile
from wardbook.messages import Language
from wardbook.template.spec import Template


def describe_run(
    key: str,
    request: str,
    template: Template,
    language: Language,
    parameters: Mapping[str, Any],
    sources: Mapping[str, SourceFile],
    *,
    period: str = "",
    open_to: Sequence[Path] = (),
    twins: Sequence[str] = (),
) -> RunSpec:
    """Return what a run of this template is asked; its resources are those that it declares.

    Args:
        key: of the run.
        request: its key, or "by-hand".
        template: its kernel, engine and resources count.
        language: of the report.
        parameters: typed.
        sources: the files that are read, by the template's name.
        period: the one that a recurring request runs for.
        open_to: folders that the unit opens to every run.
        twins: the sources of which `sources` has a synthetic stand-in.
    """
    resources = template.spec.resources
    return RunSpec(
        key=key,
        request=request,
        template=template.spec.name,
        template_folder=str(template.folder.resolve()),
        kernel=template.spec.kernel,
        language=language,
        parameters=parameters,
        sources=sources,
        engine=template.spec.engine,
        period=period,
        cpus=resources.cpus,
        memory_mb=resources.memory_mb,
        seconds=resources.minutes * 60,
        partition=resources.partition,
        gres=resources.gres,
        open_to=tuple(map(str, open_to)),
        nodes=resources.nodes,
        twins=tuple(twins),
    )
