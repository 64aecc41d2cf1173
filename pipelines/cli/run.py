"""`wardbook run`: a template by hand, or a request's folder as a CI job has it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.main import REFUSED, Context
from pipelines.cli.template import templates_option
from pipelines.cli.terminal import working
from wardbook.errors import SettingsFault
from wardbook.messages import LANGUAGES, Language, say

if TYPE_CHECKING:
    from pipelines.manual import Asked, Made

TWIN = "twin:"
"""What stands before a source's name where its stand-in is to be read."""


@click.command()
@click.argument("template")
@click.option("-p", "--parameter", "parameters", multiple=True, metavar="NAME=VALUE")
@click.option("--source", "sources", multiple=True, metavar="NAME=PATH|ADDRESS|twin:SOURCE")
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
    and so on. OUT gets NAME.csv for each table, leaving/NAME.csv for each that would leave cut,
    report/ and run.json. Where the unit's settings are at hand, its policy, its numbers and the
    names in its sources are what the outputs are judged by. Exits with 1 when the run failed: then
    OUT is not made.

    A source is a file, or the address of a database in the form of the Common Data Model, of which
    it is extracted before the run: duckdb:///FILE, parquet:///FOLDER, csv:///FOLDER,
    postgresql://HOST/DATABASE, spark:///FOLDER. Or twin:SOURCE, the synthetic stand-in of a source
    of the unit's settings (wardbook data twin): then the report says so, and nothing is a result.

    \b
    wardbook template show hospital_epidemic
    wardbook run hospital_epidemic --source hospital=stock.csv \\
        --source admissions=flow.csv -p start=2020-09-01 --out results
    """
    from pipelines.manual import ManualRefusal, run_by_hand
    from requests_sync.gate import explain_problem
    from wardbook.engines.failures import describe_failure

    given = split_pairs(sources)
    twins = {name: told.removeprefix(TWIN) for name, told in given.items() if told.startswith(TWIN)}
    asked = _ask(
        template,
        split_pairs(parameters),
        {name: told for name, told in given.items() if name not in twins},
        language,
        context.environ,
        templates,
    )
    asked = replace(asked, public_only=public_only, **_read_rules(context, asked))
    asked = _add_twins(context, asked, twins)
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
        for line in _tell(asked, made, out):
            click.echo(line)
    return 0


def _add_twins(context: Context, asked: Asked, twins: Mapping[str, str]) -> Asked:
    """Return what is asked with the files of the stand-ins that are named.

    Raises:
        click.BadParameter: there is none.
    """
    if not twins:
        return asked
    from pipelines.twins import find_twin

    settings, declared = context.settings(), asked.template.spec.sources
    found = dict(asked.sources)
    for name, source in twins.items():
        kind = declared[name].kind if name in declared else ""
        file = find_twin(settings, source, kind)
        if file is None:
            raise click.BadParameter(
                f"--source {name}: there is no twin of {source} of the kind {kind!r}. Make it: "
                f"wardbook data twin {source}"
            )
        found[name] = file
    return replace(asked, sources=found, twins=(*sorted(twins),))


def _read_rules(context: Context, asked: Asked) -> dict[str, Any]:
    """Return what the unit's settings say of how outputs are judged, where they are at hand."""
    if not context.file.is_file():
        return {}
    try:
        settings = context.settings()
    except SettingsFault as fault:
        click.echo(f"Judged without the unit's settings: {fault}", err=True)
        return {}
    known = {one.path.resolve(): one.names for one in settings.sources.values() if one.path}
    names = {name: known.get(path.resolve()) for name, path in asked.sources.items()}
    return {
        "disclosure": settings.disclosure,
        "identifiers": settings.identifiers,
        "names": {name: columns for name, columns in names.items() if columns},
    }


def _tell(asked: Asked, made: Made, out: Path) -> Iterator[str]:
    """Yield whether it is a result, each output's verdict with its reasons, and where they are."""
    from wardbook.disclosure import tell_reason
    from wardbook.domain.output import verdicts_of

    if asked.twins:
        yield f"Made of synthetic stand-ins: {', '.join(asked.twins)}. Nothing of it is a result."
    for output, verdict in verdicts_of(made.checks).items():
        yield f"{output}: {say(asked.language, f'report.mark_{verdict}')}"
        for check in made.checks:
            if check.output == output:
                word = say(asked.language, f"report.mark_{check.verdict}")
                yield f"    {word}: {tell_reason(check, asked.language)}"
    for name in made.dropped:
        yield f"dropped {name}: not declared by the template"
    yield f"Results in {out}"
    if made.cut and not asked.public_only:
        yield f"As they may leave, cut: {', '.join(f'leaving/{name}.csv' for name in made.cut)}"


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
    paths = {name: Path(path) for name, path in sources.items() if "://" not in path}
    warehouses = {name: address for name, address in sources.items() if "://" in address}
    return Asked(found, notebook or found.notebook, parameters, paths, language or "fr", warehouses)


def _find_in_environment(chosen: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the paths of a request's sources as far as the environment tells them."""
    variables = {name: f"WARDBOOK_SOURCE_{source.upper()}" for name, source in chosen.items()}
    return {name: environ[key] for name, key in variables.items() if key in environ}
