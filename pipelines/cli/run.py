"""`wardbook run`: a template by hand, or a request's folder as a CI job has it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.main import REFUSED, Context
from pipelines.cli.template import templates_option
from pipelines.cli.terminal import working
from wardbook.messages import LANGUAGES, Language

if TYPE_CHECKING:
    from pipelines.manual import Asked, Made


@click.command()
@click.argument("template")
@click.option("-p", "--parameter", "parameters", multiple=True, metavar="NAME=VALUE")
@click.option("--source", "sources", multiple=True, metavar="NAME=PATH")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="A new folder for the report and the tables.",
)
@templates_option
@click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    help="Of the report.  [default: the request's, or fr]",
)
@click.option(
    "--public-only",
    is_flag=True,
    help="Leave outputs only if all sources are public, and of them only public ones that passed.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print the verdicts, or the failure, as JSON."
)
@click.pass_obj
def run(
    context: Context,
    template: str,
    parameters: tuple[str, ...],
    sources: tuple[str, ...],
    out: Path,
    templates: Path,
    language: Language | None,
    public_only: bool,
    as_json: bool,
) -> int:
    """Run TEMPLATE by hand, through the same engine and checks as a request.

    TEMPLATE is a name of the catalogue, or a request's folder (requests/KEY of a service's
    repository): then WARDBOOK_SOURCE_SPF in the environment is the path of the unit's source spf,
    and so on. OUT gets NAME.csv for each table, report/ and run.json. Exits with 1 when the run
    failed: then OUT is not made.

    \b
    wardbook template show hospital_epidemic
    wardbook run hospital_epidemic --source hospital=stock.csv \\
        --source admissions=flow.csv -p start=2020-09-01 --out results
    """
    from pipelines.manual import ManualRefusal, run_by_hand
    from requests_sync.gate import explain_problem
    from wardbook.disclosure import tell_reason
    from wardbook.engines.failures import describe_failure

    asked = _ask(
        template,
        split_pairs(parameters),
        split_pairs(sources),
        language,
        context.environ,
        templates,
    )
    asked = replace(asked, public_only=public_only)
    try:
        with working(f"Running {asked.template.spec.name}"):
            made = run_by_hand(asked, out, lambda problem: explain_problem(problem, asked.language))
    except ManualRefusal as refusal:
        click.echo(f"Not run: {refusal}", err=True)
        return REFUSED
    if as_json:
        click.echo(_as_json(made))
    if made.failure is not None:
        told = describe_failure(made.failure, asked.language)
        click.echo("\n".join(filter(None, (told.cause, told.place, told.next_step))), err=True)
        return REFUSED
    if not as_json:
        for check in made.checks:
            click.echo(f"{check.verdict:<7} {check.output}: {tell_reason(check, asked.language)}")
        for name in made.dropped:
            click.echo(f"dropped {name}: not declared by the template")
        click.echo(f"Results in {out}")
    return 0


def _as_json(made: Made) -> str:
    return json.dumps(asdict(made), ensure_ascii=False, indent=1)


def split_pairs(pairs: Iterable[str]) -> dict[str, str]:
    """Return what NAME=VALUE options say, by name.

    Raises:
        click.BadParameter: one is not such a pair, or names what another named.
    """
    split: dict[str, str] = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name or name in split:
            raise click.BadParameter(f"{pair!r} is not NAME=VALUE, or names {name!r} twice")
        split[name] = value
    return split


def _ask(
    template: str,
    parameters: dict[str, str],
    sources: dict[str, str],
    language: Language | None,
    environ: Mapping[str, str],
    templates: Path,
) -> Asked:
    from pipelines.manual import Asked
    from wardbook.template.spec import load_catalogue

    catalogue = load_catalogue(templates)
    notebook = None
    folder = Path(template)
    if (folder / "request.json").is_file():
        about = json.loads((folder / "request.json").read_text(encoding="utf-8"))
        of_request = json.loads((folder / "parameters.json").read_text(encoding="utf-8"))
        template, parameters = about["template"], of_request | parameters
        sources = _find_in_environment(about["sources"], environ) | sources
        notebook = folder / "notebook.ipynb"
        language = language or about["language"]
    if template not in catalogue:
        names = ", ".join(catalogue)
        raise click.BadParameter(f"{template!r} is no template. There are: {names}")
    found = catalogue[template]
    paths = {name: Path(path) for name, path in sources.items()}
    return Asked(found, notebook or found.notebook, parameters, paths, language or "fr")


def _find_in_environment(chosen: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the paths of a request's sources as far as the environment tells them."""
    variables = {name: f"WARDBOOK_SOURCE_{source.upper()}" for name, source in chosen.items()}
    return {name: environ[key] for name, key in variables.items() if key in environ}
