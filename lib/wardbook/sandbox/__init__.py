"""A Jira and a GitLab of one's own: local HTTP servers that hold to the public contracts.

The real clients `jira` and `python-gitlab` drive them; state lives in SQLite and in real bare git
repositories below one folder and survives `kill -9`. `docs/sandbox.md` says what they answer, how
faults are switched on, and what is not here.
"""

from __future__ import annotations

from wardbook.sandbox.faults import Fault
from wardbook.sandbox.journal import JournalEntry
from wardbook.sandbox.seed import Account, CustomField, GitLabProject, JiraProject, Seed
from wardbook.sandbox.server import Sandbox, serve

__all__ = [
    "Account",
    "CustomField",
    "Fault",
    "GitLabProject",
    "JiraProject",
    "JournalEntry",
    "Sandbox",
    "Seed",
    "serve",
]
