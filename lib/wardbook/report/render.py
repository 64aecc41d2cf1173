"""An executed notebook and its released outputs become a report folder.

index.html      the page: texts, tables and figures that the notebook declared, code folded,
                provenance at the foot
report.json     the index card (`wardbook.report.card`)
figures/*.png   the released figures that the page shows
tables/*.csv    every released table, as released
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
from wardbook.files import write_atomically
from wardbook.messages import Language
from wardbook.report.blocks import Block, Figure, Table, arrange_blocks
from wardbook.report.card import ReportCard, Thumbnail, write_card
from wardbook.report.cell_styles import name_classes, write_stylesheet
from wardbook.report.folder import whole_folder
from wardbook.report.foot import Foot, describe_foot
from wardbook.report.problem import ReportProblem
from wardbook.report.provenance import Provenance
from wardbook.report.publication import Publication, code_cells, list_publications
from wardbook.report.released import ReleasedFile, read_released, report_sensitivity
from wardbook.report.voice import Voice
from wardbook.template.spec import Template


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

    Raises:
        ReportProblem: a published figure lacks its alternative text, a released file is missing
            or changed, a display or table is not what was declared, or `destination` exists.
    """
    notebook = _read_notebook(executed)
    voice = Voice(language)
    shelf = read_released(outputs, released, template, hidden or {})
    publications = list_publications(notebook)
    blocks = arrange_blocks(publications, shelf, template, voice)
    classes = _find_classes(publications, blocks)
    card = _make_card(title, question, provenance, template, language, blocks)
    foot = describe_foot(provenance, shelf, template, voice)
    page = _export_page(notebook, card, blocks, foot, voice, assets, unit, styled=bool(classes))
    with whole_folder(destination) as folder:
        _write_files(folder, blocks, shelf, own_assets=assets is None)
        if classes:
            write_atomically(folder / "styles.css", write_stylesheet(classes))
        write_card(folder, card)
        write_atomically(folder / "index.html", page)


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


def _export_page(
    notebook: Mapping[str, Any],
    card: ReportCard,
    blocks: Sequence[Block],
    foot: Foot,
    voice: Voice,
    assets: str | None,
    unit: str,
    *,
    styled: bool,
) -> str:
    from wardbook.report.exporter import report_exporter

    resources = {
        "card": card,
        "blocks": blocks,
        "foot": foot,
        "voice": voice,
        "assets": assets or "assets",
        "styled": styled,
        "root": assets and (posixpath.dirname(assets) or "."),
        "unit": unit,
        "lexer": notebook["metadata"].get("language_info", {}).get("pygments_lexer", "ipython3"),
    }
    page, _ = report_exporter().from_notebook_node(_keep_sources(notebook), resources)
    return str(page)


def _keep_sources(notebook: Mapping[str, Any]) -> Any:
    """Return the notebook with nothing but the sources of its code cells."""
    import nbformat

    cells = [{"cell_type": "code", "source": cell["source"]} for cell in code_cells(notebook)]
    kept = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells}
    return nbformat.from_dict(kept)


def _write_files(
    folder: Path, blocks: Sequence[Block], shelf: Mapping[str, ReleasedFile], *, own_assets: bool
) -> None:
    from wardbook.report.layout import read_assets

    files = {block.file: block.content for block in blocks if isinstance(block, Figure)}
    files |= {file.address: file.content for file in shelf.values() if file.is_table}
    if own_assets:
        files |= {f"assets/{name}": content for name, content in read_assets().items()}
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        write_atomically(file, content)
