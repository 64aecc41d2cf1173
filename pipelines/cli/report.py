"""`wardbook report`: what can be made of a report that is there already."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.main import Context


@click.group()
def report() -> None:
    """Make something of a report."""


@report.command("pdf")
@click.argument("where")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("report.pdf"),
    show_default=True,
    help="The PDF to write.",
)
@click.pass_obj
def pdf(context: Context, where: str, out: Path) -> int:
    """Print a report with Chromium: WHERE is its address on the unit's site, or its folder."""
    from wardbook.report.pdf import print_report

    if where.startswith(("http://", "https://")):
        folder, address = find_published(context, where)
    else:
        folder, address = Path(where), None
    print_report(folder, out, address=address)
    click.echo(f"Printed {out}")
    return 0


def find_published(context: Context, address: str) -> tuple[Path, str]:
    """Return the folder of a published report, and its address with a slash at the end.

    Raises:
        click.UsageError: it is not an address of the unit's site.
    """
    site = context.settings().site
    base = f"{site.url.rstrip('/')}/"
    inside = address.removesuffix("index.html").removeprefix(base).strip("/")
    if not address.startswith(f"{base}reports/") or ".." in inside.split("/"):
        raise click.UsageError(f"{address} is not a report of the site {base}")
    return site.folder / inside, f"{base}{inside}/"
