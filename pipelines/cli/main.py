"""Entry point of the command `wardbook`.

Exit codes: 0 all is well; 1 something was refused or failed and a person can mend it; 2 the
command line is wrong; 3 a setting, a server or this machine is at fault; 4 `reproduce` came to
something else.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import click

# Looking for plugins of pydantic's, of which we have none, costs each command 2 % of its start.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

from pipelines.cli.plain import LogLine, harmless
from wardbook.audit.account import Act
from wardbook.errors import Fault, Refusal
from wardbook.identifiers.masking import install_masking
from wardbook.settings import Settings, load_settings

REFUSED, FAULT, DIFFERENT = 1, 3, 4

_COMMANDS: Mapping[str, str] = {
    "approvals": "pipelines.cli.review",
    "check-commit": "pipelines.cli.check_commit",
    "audit": "pipelines.cli.audit",
    "dashboards": "pipelines.cli.dashboards",
    "data": "pipelines.cli.data",
    "demo": "pipelines.cli.demo",
    "doctor": "pipelines.cli.setup",
    "drift": "pipelines.cli.sync",
    "hospital": "pipelines.cli.hospital",
    "init": "pipelines.cli.setup",
    "lab": "pipelines.cli.lab",
    "purge": "pipelines.cli.purge",
    "report": "pipelines.cli.report",
    "reproduce": "pipelines.cli.reproduce",
    "keys": "pipelines.cli.keys",
    "notebook": "pipelines.cli.notebook",
    "retry": "pipelines.cli.passes",
    "review": "pipelines.cli.review",
    "run": "pipelines.cli.run",
    "sandbox": "pipelines.cli.sandbox",
    "serve": "pipelines.cli.passes",
    "show": "pipelines.cli.look",
    "site": "pipelines.cli.site",
    "sources": "pipelines.cli.sources",
    "status": "pipelines.cli.look",
    "sync": "pipelines.cli.sync",
    "template": "pipelines.cli.template",
    "tick": "pipelines.cli.passes",
    "verify": "pipelines.cli.verify",
    "why": "pipelines.cli.why",
}


@dataclass(frozen=True)
class Context:
    """What every command gets: where the settings stand, and the environment."""

    file: Path
    environ: Mapping[str, str]

    def settings(self) -> Settings:
        """Read the settings; called by the commands that need them."""
        return load_settings(self.file, self.environ)

    @property
    def act(self) -> Act:
        """Who runs which command, for the audit log: `keys.confirm` of `wardbook keys confirm`."""
        names, here = list[str](), click.get_current_context()
        while here.parent is not None:
            names.insert(0, str(here.info_name))
            here = here.parent
        return Act.of(".".join(names) or str(here.info_name))


class _LazyGroup(click.Group):
    """Imports a command's module when the command is called: `wardbook tick` must stay quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(_COMMANDS[cmd_name])
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="wardbook")
@click.option(
    "--settings",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="WARDBOOK_SETTINGS",
    default=Path("wardbook.toml"),
    show_default=True,
    help="The unit's settings.",
)
@click.option("-v", "--verbose", is_flag=True, help="Tell more about what is done.")
@click.pass_context
def wardbook(ctx: click.Context, file: Path, verbose: bool) -> None:
    """From a ticket to a checked, sealed, traceable deliverable.

    \b
    Look at it first:        wardbook demo
    Set up your own unit:    wardbook init, then wardbook doctor
    Work:                    wardbook tick (once) or wardbook serve (for good)
    A template by hand:      wardbook template show NAME, wardbook run NAME --help
    """
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        handlers=[_log_to(sys.stderr)],
    )
    if not verbose:
        # The clients' own words may hold headers and bodies.
        for noisy in ("jira", "gitlab", "urllib3", "gnupg", "distributed", "alembic"):
            logging.getLogger(noisy).setLevel(logging.CRITICAL)
    ctx.obj = Context(file, os.environ)


def _log_to(stream: TextIO) -> logging.Handler:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LogLine("%(levelname)s %(name)s: %(message)s"))
    return handler


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    try:
        code = wardbook.main(args=list(argv) if argv is not None else None, standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.exceptions.Abort:
        click.echo("Stopped.", err=True)
        return 130
    except Refusal as refusal:
        click.echo(harmless(f"Refused: {refusal}"), err=True)
        return REFUSED
    except Fault as fault:
        click.echo(harmless(f"Not possible: {fault}"), err=True)
        return FAULT


def run() -> None:
    """Run the command line as the program's entry point."""
    install_masking()
    sys.exit(main())
