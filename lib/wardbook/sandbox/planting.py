"""Turns a `Seed` into records and repositories; what exists already is left alone."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from wardbook.sandbox.gitlab.projects import create_project
from wardbook.sandbox.house import instant
from wardbook.sandbox.seed import Account, JiraProject, Seed
from wardbook.sandbox.store import Records


def plant(records: Records, directory: Path, seed: Seed) -> None:
    """Create the accounts and projects that are missing.

    Raises:
        ValueError: a project names a member who is no account, or a field id is malformed.
    """
    for account in seed.accounts:
        plant_account(records, account)
    for jira_project in seed.jira_projects:
        plant_jira_project(records, jira_project)
    for gitlab_project in seed.gitlab_projects:
        create_project(records, directory, gitlab_project)


def plant_account(records: Records, account: Account) -> None:
    """Create an account and its token."""
    if records.find("account", account.username):
        return
    body = records.insert(
        "account",
        {**asdict(account), "groups": list(account.groups), "created_at": instant()},
        key=account.username,
    )
    if account.token:
        records.insert("account.token", {"account": body["id"]}, key=account.token)


def plant_jira_project(records: Records, project: JiraProject) -> None:
    """Create a project with its issue types, components and custom fields."""
    if records.find("jira.project", project.key):
        return
    for custom in project.custom_fields:
        prefix, _, number = custom.id.partition("_")
        if prefix != "customfield" or not number.isdigit():
            raise ValueError(f"custom field id {custom.id!r}: expected customfield_NNNNN")
    body = records.insert(
        "jira.project",
        {"key": project.key, "name": project.name, "service_desk": project.service_desk},
        key=project.key,
    )
    for name in project.issue_types:
        records.insert("jira.issuetype", {"name": name}, owner=body["id"])
    for name in project.components:
        records.insert("jira.component", {"name": name}, owner=body["id"])
    for custom in project.custom_fields:
        options = [
            {"id": str(records.number("jira.option", 10_000)), "value": value}
            for value in custom.options
        ]
        records.insert(
            "jira.field",
            {"field": custom.id, "name": custom.name, "type": custom.type, "options": options},
            owner=body["id"],
            key=custom.id,
        )
