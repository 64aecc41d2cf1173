"""`python -m wardbook.sandbox --dir DIR`: serve until SIGTERM, print the two addresses."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from wardbook.sandbox.server import serve


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the arguments and serve."""
    parser = argparse.ArgumentParser(prog="wardbook.sandbox", description=__doc__)
    parser.add_argument("--dir", type=Path, required=True, help="folder of the state")
    parser.add_argument("--jira-port", type=int, default=0, help="0: last time's, or a free one")
    parser.add_argument("--gitlab-port", type=int, default=0, help="0: last time's, or a free one")
    parser.add_argument("--flavour", choices=("server", "cloud"), default="server")
    parser.add_argument("--index-lag", type=float, default=0.0, metavar="SECONDS")
    options = parser.parse_args(arguments)
    serve(
        options.dir,
        options.jira_port,
        options.gitlab_port,
        options.flavour,
        options.index_lag,
        announce=lambda line: print(line, flush=True),  # noqa: T201 - the program's output
    )


if __name__ == "__main__":
    main()
