"""`wardbook template`: what the unit can do, and how it learns more."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.main import REFUSED
from wardbook.shipped import shipped_folder
from wardbook.template.spec import Template, load_catalogue

if TYPE_CHECKING:
    from wardbook.template.from_notebook import Found
    from wardbook.template.from_notebook.parameters import Parameter

templates_option = click.option(
    "--templates",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    envvar="WARDBOOK_TEMPLATES",
    default=lambda: shipped_folder("templates"),
    help="The catalogue's folder.  [default: the one that comes with Wardbook]",
)


@click.group()
def template() -> None:
    """Look at the templates, begin one, check that each holds to the rules."""


@template.command("list")
@templates_option
def list_templates(templates: Path) -> int:
    """List the templates with the question that each answers."""
    for name, found in load_catalogue(templates).items():
        click.echo(f"{name:<20} {found.spec.question.en}")
    return 0


@template.command("show")
@click.argument("name")
@templates_option
def show_template(name: str, templates: Path) -> int:
    """Show a template's parameters, sources, outputs and columns."""
    catalogue = load_catalogue(templates)
    if name not in catalogue:
        click.echo(f"No template {name!r}. There are: {', '.join(catalogue)}.", err=True)
        return REFUSED
    click.echo(describe_template(catalogue[name]))
    click.echo(f"\ndigest, for a standing approval: {catalogue[name].digest}")
    return 0


@template.command("new")
@click.argument("name")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("templates"),
    show_default=True,
    help="The catalogue that gets it: `templates` under [unit] of the settings.",
)
def new_template(name: str, folder: Path) -> int:
    """Begin the template NAME: a folder that runs, with texts in both languages and tests.

    It counts patients by ward. Change what it asks (template.toml), reads and counts
    (notebook.ipynb), says (texts.toml) and explains (methods.toml, README.md).

    \b
    wardbook template new tube_breakage
    wardbook template check tube_breakage --templates templates
    pytest templates/tube_breakage
    """
    from wardbook.template.beginning import CannotBegin, begin_template

    try:
        begun = begin_template(name, folder)
    except CannotBegin as refusal:
        click.echo(str(refusal), err=True)
        return REFUSED
    click.echo(f"{begun.folder} is there. Try it: pytest {begun.folder}")
    return 0


@template.command("from")
@click.argument("notebook", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--name", required=True, help="The template's name.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("templates"),
    show_default=True,
    help="The catalogue that gets it: `templates` under [unit] of the settings.",
)
@click.option("--dry-run", is_flag=True, help="Say what was found and why; write nothing.")
@click.option("--ask", is_flag=True, help="Ask of each constant whether it becomes a parameter.")
def from_notebook(notebook: Path, name: str, out: Path, dry_run: bool, ask: bool) -> int:
    """Begin the template NAME from an exploratory NOTEBOOK in Python.

    The notebook is read, never run: its constants become parameters, the files that it reads
    sources, the tables and figures that it shows outputs, its Markdown texts. What could not be
    known is marked TODO. No output, path or identifier of it reaches the template, and no value
    that tells a person.

    \b
    wardbook template from beds.ipynb --name bed_days --dry-run
    wardbook template from beds.ipynb --name bed_days
    wardbook template check bed_days --templates templates
    """
    from wardbook.template.beginning import CannotBegin, require_free_name
    from wardbook.template.from_notebook import CannotRead, draft_template, write_draft

    try:
        require_free_name(name, out)
        text = notebook.read_text(encoding="utf-8")
        draft = draft_template(text, name, _ask_for if ask else None)
    except UnicodeDecodeError:
        click.echo(f"{notebook} is no notebook: it is not in UTF-8.", err=True)
        return REFUSED
    except (CannotBegin, CannotRead) as refusal:
        click.echo(f"{refusal}", err=True)
        return REFUSED
    click.echo(show_found(draft.found))
    if dry_run:
        return 0
    begun = write_draft(draft, out)
    click.echo(f"\n{begun.folder} is there. Look for TODO in it, then: pytest {begun.folder}")
    return 0


@template.command("check")
@click.argument("names", nargs=-1)
@templates_option
def check_templates(names: tuple[str, ...], templates: Path) -> int:
    """Hold templates to the rules: all of them, or those named.

    Texts in both languages with the same places, a notebook without outputs that imports the
    library alone and writes what is declared, sheets for every figure, examples that fit. Exits
    with 1 where one breaks a rule.
    """
    from wardbook.template.rules import find_breaches
    from wardbook.template.spec import TemplateProblem

    catalogue = load_catalogue(templates)
    unknown = [name for name in names if name not in catalogue]
    if unknown:
        click.echo(f"No template {unknown[0]!r}. There are: {', '.join(catalogue)}.", err=True)
        return REFUSED
    broken = 0
    for name in names or catalogue:
        try:
            breaches = list(find_breaches(catalogue[name]))
        except TemplateProblem as problem:
            click.echo(f"{problem}", err=True)
            broken += 1
            continue
        broken += bool(breaches)
        click.echo(f"{name}: {'holds to the rules' if not breaches else 'does not yet'}")
        for breach in breaches:
            click.echo(f"    {breach.file}: {breach.what}")
    return REFUSED if broken else 0


def show_found(found: Sequence[Found]) -> str:
    """Lay out what was found in a notebook: its place, what it becomes, why."""
    lines = [f"{'place':<18} {'becomes':<10} {'name':<24} why"]
    for one in found:
        place = f"cell {one.cell}, line {one.line}"
        mark = "TODO: " if one.todo else ""
        lines.append(f"{place:<18} {one.becomes:<10} {one.name:<24} {mark}{one.reason}")
    return "\n".join(lines)


def _ask_for(parameter: Parameter) -> bool:
    place = f"cell {parameter.cell}, line {parameter.line}"
    return click.confirm(
        f"{parameter.name} ({place}; {parameter.reason}): a parameter?", default=True
    )


def describe_template(found: Template) -> str:
    """Describe a template as text: what `wardbook run` takes and leaves."""
    spec = found.spec
    lines = [f"{spec.name} {spec.version}: {spec.title.en}", spec.question.en, ""]
    for name, parameter in spec.parameters.items():
        need = "" if parameter.required else ", optional"
        taken = f"; recurring: {parameter.from_period}" if parameter.from_period else ""
        lines.append(f"  -p {name}=…   {parameter.type}{need}; e.g. {parameter.example}{taken}")
    for name, source in spec.sources.items():
        need = "" if source.required else ", optional"
        lines.append(f"  --source {name}=PATH   {source.label.en}{need}")
    if spec.schedule:
        zone = spec.schedule.zone or "the unit's time zone"
        bound = (
            f" (at most {spec.schedule.max_catch_up})" if spec.schedule.catch_up == "all" else ""
        )
        lines.append(
            f"  schedule: {spec.schedule.cron}, {zone}; catch-up: {spec.schedule.catch_up}{bound}"
        )
    for name, output in spec.outputs.items():
        lines.append(f"\n{name} ({output.kind}, {output.sensitivity}): {output.title.en}")
        lines += [f"    {column}: {label.en}" for column, label in output.columns.items()]
    return "\n".join(lines)
