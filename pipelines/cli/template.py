"""`wardbook template`: what the unit can do."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.main import REFUSED
from wardbook.shipped import shipped_folder
from wardbook.template.spec import Template, load_catalogue

templates_option = click.option(
    "--templates",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    envvar="WARDBOOK_TEMPLATES",
    default=lambda: shipped_folder("templates"),
    help="The catalogue's folder.  [default: the one that comes with Wardbook]",
)


@click.group()
def template() -> None:
    """Look at the templates: what each asks for and what it gives."""


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
