"""From a notebook to a template's files: what is found is put together, nothing is written yet."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from wardbook.identifiers.allowances import Allowances
from wardbook.identifiers.commits import check_files
from wardbook.identifiers.context import Context
from wardbook.messages import say
from wardbook.template.from_notebook.constants import Constants
from wardbook.template.from_notebook.exploration import (
    CannotRead,
    Cell,
    Edit,
    Found,
    apply_edits,
    place_of,
    read_exploration,
    walk_code,
)
from wardbook.template.from_notebook.frames import Frames
from wardbook.template.from_notebook.outputs import Output, Outputs
from wardbook.template.from_notebook.parameters import Parameter
from wardbook.template.from_notebook.persons import refuse_persons
from wardbook.template.from_notebook.sources import (
    Source,
    edit_reads,
    find_sources,
    match_source,
    refuse_databases,
    shape_of,
    tell_source,
)


@dataclass(frozen=True)
class Exploration:
    """Everything that was found in a notebook, with the edits that make a template of it.

    `asked` has by column the texts of the values that it is compared with.
    """

    name: str
    cells: tuple[Cell, ...]
    alias: str
    sources: tuple[Source, ...]
    parameters: tuple[Parameter, ...]
    setups: tuple[str, ...]
    outputs: tuple[Output, ...]
    asked: Mapping[str, set[str]]
    edits: tuple[Edit, ...]
    found: tuple[Found, ...]


@dataclass(frozen=True)
class Draft:
    """A template's files by their path in its folder, and what was found, in reading order."""

    name: str
    files: Mapping[str, str]
    found: tuple[Found, ...]


def explore(text: str, name: str, decide: Callable[[Parameter], bool] | None = None) -> Exploration:
    """Find what a notebook reads, asks and shows; nothing of it is executed.

    Args:
        text: the notebook's file.
        name: the template's.
        decide: says of each parameter whether it becomes one; without it, all do. It is not asked
            about one whose value tells a person: that value cannot stay.

    Raises:
        CannotRead: no template can be made of it; the message says why and what to do.
    """
    cells, found = read_exploration(text)
    refuse_databases(cells)
    sources = find_sources(cells, set())
    _match_sources(cells, sources)
    written = {node.id for _, node in walk_code(cells) if isinstance(node, ast.Name)}
    alias = next(one for one in ("p", "asked", "parameters_asked") if one not in written)
    datasets = [one.dataset for one in sources if one.dataset]
    constants = Constants(cells, datasets, alias, set(written))
    constants.search()
    chosen, kept = _choose(constants.parameters, decide)
    # A query that names two constants is written anew for both.
    asked = [edit for one in chosen for edit in one.edits]
    asked += [edit for one in kept if one.setup_kept for edit in one.edits]
    outputs = _find_outputs(cells, sources, asked)
    edits = [*asked]
    edits += [edit for one in sources for edit in edit_reads(one)]
    edits += outputs.edits
    edits += [place_of(cell, node, _no_path(node)) for cell, node in constants.paths]
    edits += _unused_imports(cells, edits)
    found += [tell_source(one) for one in sources] + constants.found + outputs.found
    found += [_tell_parameter(one, one in chosen) for one in constants.parameters]
    return Exploration(
        name,
        tuple(cells),
        alias,
        tuple(sources),
        tuple(chosen),
        tuple(one.setup_kept for one in kept if one.setup_kept),
        tuple(outputs.outputs),
        constants.asked,
        tuple(edits),
        tuple(sorted(found, key=lambda one: (one.cell, one.line))),
    )


def draft_template(
    text: str, name: str, decide: Callable[[Parameter], bool] | None = None
) -> Draft:
    """Make a template's files of a notebook.

    Raises:
        CannotRead: no template can be made of it, or an identifier would stand in it.
    """
    from wardbook.template.from_notebook.writing import write_files

    exploration = explore(text, name, decide)
    rewritten = rewritten_cells(exploration)
    refuse_persons(
        [(one.number, code) for one, code in zip(exploration.cells, rewritten, strict=True)]
    )
    if not exploration.outputs:
        raise CannotRead(
            "This notebook shows and writes no table and no figure. Let a cell end with the table "
            "that answers the question, and call again."
        )
    files = write_files(exploration)
    _refuse_identifiers(files)
    return Draft(name, files, exploration.found)


def rewritten_cells(exploration: Exploration) -> list[str]:
    """Return each cell's code with the edits made, "" for Markdown and for what holds nothing."""
    return [
        apply_edits(cell, exploration.edits).strip("\n") if cell.is_code else ""
        for cell in exploration.cells
    ]


def _choose(
    found: Sequence[Parameter], decide: Callable[[Parameter], bool] | None
) -> tuple[list[Parameter], list[Parameter]]:
    """Return those that become parameters, and those that stay constants."""
    chosen: list[Parameter] = []
    kept: list[Parameter] = []
    for one in found:
        becomes = decide is None or one.secret or decide(one)
        (chosen if becomes else kept).append(one)
    return chosen, kept


def _match_sources(cells: Sequence[Cell], sources: Sequence[Source]) -> None:
    frames = _frames_over(sources)
    for cell in cells:
        for statement in cell.tree.body:
            frames.follow(statement)
    for source in sources:
        match_source(source, frames, cells)


def _frames_over(sources: Sequence[Source]) -> Frames:
    frames = Frames()
    for source in sources:
        for _, call in source.calls:
            frames.reads[id(call)] = shape_of(source)
    return frames


def _find_outputs(
    cells: Sequence[Cell], sources: Sequence[Source], asked: Sequence[Edit]
) -> Outputs:
    plt = ""
    for _, node in walk_code(cells):
        match node:
            case ast.Import(names=names):
                plt = next(
                    (a.asname or a.name for a in names if a.name == "matplotlib.pyplot"), plt
                )
            case ast.ImportFrom(module="matplotlib", names=names):
                plt = next((a.asname or a.name for a in names if a.name == "pyplot"), plt)
    taken = {one.name for one in sources} | {"report"}
    outputs = Outputs(_frames_over(sources), taken, plt, asked)
    for cell in cells:
        if cell.is_code:
            outputs.search(cell)
        else:
            outputs.hear(cell.text)
    return outputs


def _no_path(statement: ast.Assign) -> str:
    names = ", ".join(one.id for one in statement.targets if isinstance(one, ast.Name))
    return f"{names} = None  # a file's name stood here: the run names the files"


def _unused_imports(cells: Sequence[Cell], edits: Sequence[Edit]) -> list[Edit]:
    """Return the edits that remove imports which nothing needs once the other edits are made."""
    code = "\n".join(apply_edits(cell, edits) for cell in cells if cell.is_code)
    used = {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}
    removed = []
    for cell in cells:
        for statement in cell.tree.body:
            if isinstance(statement, ast.Import | ast.ImportFrom) and not any(
                (one.asname or one.name).partition(".")[0] in used for one in statement.names
            ):
                text = f"# {ast.unparse(statement)}  # no longer used"
                removed.append(place_of(cell, statement, text))
    return removed


def _tell_parameter(parameter: Parameter, chosen: bool) -> Found:
    becomes = "parameter" if chosen else "constant"
    reason = parameter.reason if chosen else f"{parameter.reason}; kept as it is, as you said"
    if parameter.secret:
        reason += "; it tells a person, so its value is not kept: write an invented example"
    return Found(becomes, parameter.name, parameter.cell, parameter.line, reason, parameter.secret)


def _refuse_identifiers(files: Mapping[str, str]) -> None:
    contents = [(path, text.encode()) for path, text in files.items()]
    for one in check_files(contents, Allowances(()), Context()):
        what = re.sub(r"\s+", " ", say("en", f"identifier.commit_{one.kind}"))
        raise CannotRead(
            f"{one.path}, line {one.line} of the template would hold what must not be committed "
            f"({what}). Remove it from the notebook, and call again. Nothing was written."
        )
