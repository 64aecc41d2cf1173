"""Who may do what: members' levels, and confidential issues."""

from __future__ import annotations

from flask import g

from wardbook.sandbox.gitlab.git import Repository
from wardbook.sandbox.gitlab.refusals import forbidden, not_found, unauthorized
from wardbook.sandbox.house import house, records
from wardbook.sandbox.seed import DEVELOPER, GUEST, MAINTAINER, REPORTER
from wardbook.sandbox.store import Body


def asker() -> Body:
    """Return the signed-in account.

    Raises:
        Refused: 401, nobody signed in.
    """
    if g.account is None:
        raise unauthorized()
    account: Body = g.account
    return account


def level(project: Body, account: Body | None = None) -> int:
    """Return an account's access level in a project (0: no member), through its group too."""
    account = account or asker()
    owners = [("gitlab.member", project["id"]), ("gitlab.group_member", project["group"])]
    return max(
        (
            member["access_level"]
            for kind, owner in owners
            for member in records().all(kind, owner)
            if member["user"] == account["id"]
        ),
        default=0,
    )


def find_project(reference: str, least: int = GUEST) -> Body:
    """Return a project by id or path, for an account with at least this level.

    Raises:
        Refused: 404 for non-members, as for projects that are not there; 403 below the level.
    """
    asker()
    if reference.isdigit():
        project = records().get("gitlab.project", int(reference))
    else:
        project = records().find("gitlab.project", reference.lower())
    if project is None or level(project) < GUEST:
        raise not_found("Project")
    require(project, least)
    return project


def require(project: Body, least: int) -> None:
    """Refuse with 403 below a level."""
    if level(project) < least:
        raise forbidden()


def repository(project: Body) -> Repository:
    """Return a project's repository."""
    return Repository(house().directory / "repositories" / f"{project['id']}.git")


def find_code(reference: str, least: int = REPORTER) -> tuple[Body, Repository]:
    """Return a project and its repository; guests of a private project do not see the code."""
    project = find_project(reference, least)
    return project, repository(project)


def may_see(project: Body, issue: Body, account: Body | None = None) -> bool:
    """Tell whether an account (who asks) sees an issue: confidential ones need reporter rights."""
    account = account or asker()
    own = level(project, account)
    if own < GUEST:
        return False
    me = account["id"]
    return (
        not issue["confidential"]
        or own >= REPORTER
        or issue["author"] == me
        or me in issue["assignees"]
    )


def may_push(project: Body, branch: str) -> bool:
    """Tell whether the asking account may push to a branch; the default one is protected."""
    least = MAINTAINER if branch == project["default_branch"] else DEVELOPER
    return level(project) >= least


def require_push(project: Body, branch: str) -> None:
    """Refuse to push to a protected branch.

    Raises:
        Refused: 403.
    """
    if not may_push(project, branch):
        raise forbidden("You are not allowed to push into this branch")
