"""`python -m tests.fast_trackers`: serve until SIGTERM, print the two addresses."""

from __future__ import annotations

import argparse
import asyncio
import signal
import socket
from collections import Counter

from pipelines.demo.world import PROJECTS
from tests.fast_trackers.gitlab import GitLab
from tests.fast_trackers.jira import Jira
from tests.fast_trackers.patterns import learn_patterns
from tests.fast_trackers.wire import Answer, Connection


def listen(port: int) -> tuple[socket.socket, str]:
    """Bind a port of loopback (0: any free one) and return its address too."""
    bound = socket.create_server(("127.0.0.1", port))
    return bound, f"http://127.0.0.1:{bound.getsockname()[1]}"


async def serve(places: list[tuple[socket.socket, Answer]], latency: float) -> None:
    """Answer on all places until SIGTERM or SIGINT."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    for bound, answer in places:
        count = Counter[str]()
        await loop.create_server(
            lambda answer=answer, count=count: Connection(answer, count, latency),  # type: ignore[misc]
            sock=bound,
        )
    await ended.wait()


def main() -> None:
    """Parse the arguments and serve."""
    parser = argparse.ArgumentParser(prog="tests.fast_trackers", description=__doc__)
    parser.add_argument("--tickets", type=int, default=10_000)
    parser.add_argument("--latency-ms", type=float, default=20.0)
    parser.add_argument("--jira-port", type=int, default=0)
    parser.add_argument("--gitlab-port", type=int, default=0)
    options = parser.parse_args()
    jira_socket, jira_url = listen(options.jira_port)
    gitlab_socket, gitlab_url = listen(options.gitlab_port)
    patterns = learn_patterns(jira_url, gitlab_url)
    jira = Jira(options.tickets, patterns.jira)
    gitlab = GitLab(list(PROJECTS.values()), patterns.gitlab, gitlab_url)
    print(f"Jira    {jira_url}\nGitLab  {gitlab_url}", flush=True)
    places = [(jira_socket, jira.answer), (gitlab_socket, gitlab.answer)]
    asyncio.run(serve(places, options.latency_ms / 1000))


if __name__ == "__main__":
    main()
