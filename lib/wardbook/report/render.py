"""An executed notebook and its released outputs become a report folder.

index.html      the page: texts, tables and figures that the notebook declared, code folded,
                provenance at the foot
report.json     the index card (`wardbook.report.card`)
figures/*.png   the released figures that the page shows
tables/*.csv    every released table, as released
tables/*.xlsx   each of them as a workbook, once it is published (`wardbook.report.workbook`)
report.pdf      the page on paper, where the unit wants it (`wardbook.report.pdf`)
styles.css      colours of cells, only where the notebook gave some
assets/         style and mark, only in a report that must stand alone
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from wardbook.domain.output import Output
from wardbook.headlines import Headline
from wardbook.messages import Language
from wardbook.report.blocks import Block, Figure, Table, Text, arrange_blocks
from wardbook.report.card import ReportCard, Thumbnail, write_card
from wardbook.report.cell_styles import name_classes, write_stylesheet
from wardbook.report.editions import PastEdition
from wardbook.report.folder import whole_folder
from wardbook.report.foot import Beside, describe_foot
from wardbook.report.limits import SizeLimits, require_size
from wardbook.report.problem import ReportProblem
from wardbook.report.provenance import Provenance
from wardbook.report.publication import Publication, code_cells, list_publications
from wardbook.report.released import ReleasedFile, read_released, report_sensitivity
from wardbook.report.voice import Voice
from wardbook.template.spec import Template

_METHODS = ("methods", "limits")
"""The texts of a template that stand after the report, wherever its notebook says them."""

ANY_REPORT = SizeLimits()


def render_report(
    *,
    executed: Path,
    outputs: Path,
    released: Sequence[Output],
    template: Template,
    title: str,
    question: str,
    provenance: Provenance,
    language: Language,
    destination: Path,
    assets: str | None = "../../../assets",
    unit: str = "Wardbook",
    hidden: Mapping[str, frozenset[int]] | None = None,
    headlines: Sequence[Headline] = (),
    editions: Sequence[PastEdition] = (),
    beside: frozenset[Beside] = frozenset(),
    limits: SizeLimits = ANY_REPORT,
) -> None:
    """Render a report into the new folder `destination`, wholly or not at all.

    Published is what the notebook declared and `released` holds; a declared output that was not
    released, or is more sensitive than the report, leaves a visible sentence in its place.

    Args:
        executed: the executed notebook; of its outputs only declared displays are looked at.
        outputs: folder of the files that `released` names.
        title, question: foreign text, shown as text.
        assets: address of the site's shared assets from the report's folder; None copies them
            into it, for a report that is opened outside the site.
        unit: the name in the page's head.
        hidden: by output, the rows of a table whose figures were cut.
        headlines: the answer in figures, shown below the question.
        editions: those of the same request that stand already, newest first.
        beside: what will be made of the rendered report and laid beside it; the page links to it.
        limits: how large the report may be.

    Raises:
        ReportProblem: a published figure lacks its alternative text, a released file is missing
            or changed, a display or table is not what was declared, the report is too large, or
            `destination` exists.
    """
    notebook = _read_notebook(executed)
    voice = Voice(language)
    shelf = read_released(outputs, released, template, hidden or {})
    publications = list_publications(notebook)
    blocks = arrange_blocks(publications, shelf, template, voice)
    methods = tuple(block for block in blocks if isinstance(block, Text) and block.key in _METHODS)
    body = tuple(block for block in blocks if block not in methods)
    classes = _find_classes(publications, blocks)
    card = _make_card(title, question, provenance, template, language, blocks)
    resources = {
        "card": card,
        "headlines": headlines,
        "blocks": body,
        "methods": methods,
        "foot": describe_foot(provenance, shelf, template, voice, beside),
        "editions": editions,
        "voice": voice,
        "assets": assets or "assets",
        "styled": bool(classes),
        "root": assets and (posixpath.dirname(assets) or "."),
        "unit": unit,
    }
    page = _export_page(notebook, resources)
    files = _list_files(blocks, shelf, own_assets=assets is None)
    if classes:
        files["styles.css"] = write_stylesheet(classes).encode()
    require_size(len(page), map(len, files.values()), limits)
    with whole_folder(destination) as folder:
        for name, content in files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)
        write_card(folder, card)
        (folder / "index.html").write_bytes(page)


def _find_classes(
    publications: Sequence[Publication], blocks: Sequence[Block]
) -> Mapping[str, str]:
    """Return the classes of those styles that a shown cell has.

    The colour of a cell that was cut may tell its value, even where nothing wears it.
    """
    worn = {name for block in blocks if isinstance(block, Table) for name in block.styles.values()}
    named = name_classes([publication.styles for publication in publications])
    return {css: name for css, name in named.items() if name in worn}


def _read_notebook(executed: Path) -> Mapping[str, Any]:
    import nbformat

    try:
        notebook: Any = nbformat.read(executed, as_version=4)
    except FileNotFoundError:
        raise ReportProblem(f"{executed.name}: missing. Run the request again.") from None
    except (ValueError, AttributeError, KeyError):
        raise ReportProblem(f"{executed.name}: not a notebook. Run the request again.") from None
    return cast(Mapping[str, Any], notebook)


def _make_card(
    title: str,
    question: str,
    provenance: Provenance,
    template: Template,
    language: Language,
    blocks: Sequence[Block],
) -> ReportCard:
    first = next((block for block in blocks if isinstance(block, Figure)), None)
    started = datetime.fromisoformat(provenance.started)
    if started.tzinfo is None:
        raise ReportProblem(f"run {provenance.run}: its start has no time zone. Give the offset.")
    return ReportCard(
        title=title,
        question=question,
        service=provenance.service,
        template=template.spec.name,
        topic=template.spec.title.in_language(language),
        request=provenance.request,
        started=started,
        language=language,
        sensitivity=report_sensitivity(template),
        thumbnail=Thumbnail.model_validate(first, from_attributes=True) if first else None,
    )


def _export_page(notebook: Mapping[str, Any], resources: Mapping[str, Any]) -> bytes:
    from wardbook.report.exporter import report_exporter

    lexer = notebook["metadata"].get("language_info", {}).get("pygments_lexer", "ipython3")
    given = {**resources, "lexer": lexer}
    page, _ = report_exporter().from_notebook_node(_keep_sources(notebook), given)
    return str(page).encode()


def _keep_sources(notebook: Mapping[str, Any]) -> Any:
    """Return the notebook with nothing but the sources of its code cells."""
    import nbformat

    cells = [{"cell_type": "code", "source": cell["source"]} for cell in code_cells(notebook)]
    kept = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells}
    return nbformat.from_dict(kept)


def _list_files(
    blocks: Sequence[Block], shelf: Mapping[str, ReleasedFile], *, own_assets: bool
) -> dict[str, bytes]:
    """Return figures, tables and assets by their place in the report's folder."""
    from wardbook.report.layout import read_assets

    files = {block.file: block.content for block in blocks if isinstance(block, Figure)}
    files |= {file.address: file.content for file in shelf.values() if file.is_table}
    if own_assets:
        shared = read_assets().items()
        files |= {f"assets/{name}": one for name, one in shared if not name.endswith(".js")}
    return files
