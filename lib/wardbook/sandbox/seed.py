"""What a sandbox holds at the beginning: accounts and empty projects, as plain declarations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

FieldType = Literal["select", "text", "textarea", "date", "user", "number"]
Flavour = Literal["server", "cloud"]

UPLOAD_LIMIT = 100 * 1024 * 1024
GUEST, REPORTER, DEVELOPER, MAINTAINER, OWNER = 10, 20, 30, 40, 50


@dataclass(frozen=True)
class Account:
    """A person or a machine known to both servers under one user name and one token.

    Jira: `token` is the personal access token, and the password of basic authentication.
    GitLab: `token` is the personal access token, and the password of `git clone`.
    `time_zone` is the zone in which Jira reads this account's JQL dates. The group
    `jira-administrators` may set the reporter and delete tickets. An account that is not active
    (GitLab: blocked) is shown as such, cannot sign in and cannot be assigned.
    """

    username: str
    name: str
    email: str
    token: str
    time_zone: str = "Europe/Paris"
    groups: Sequence[str] = ()
    active: bool = True


@dataclass(frozen=True)
class CustomField:
    """A custom field of a Jira project; `id` is the full `customfield_NNNNN`."""

    id: str
    name: str
    type: FieldType
    options: Sequence[str] = ()


@dataclass(frozen=True)
class JiraProject:
    """A Jira project with the workflow of `wardbook.sandbox.jira.workflow`.

    In a service desk, comments are public or internal.
    """

    key: str
    name: str
    issue_types: Sequence[str]
    components: Sequence[str] = ()
    custom_fields: Sequence[CustomField] = ()
    service_desk: bool = False


@dataclass(frozen=True)
class GitLabProject:
    """A private GitLab project `group/name` with a first commit on `main`.

    `members` gives each user name its access level: 10 guest, 20 reporter, 30 developer,
    40 maintainer, 50 owner. `main` is protected: maintainers push and merge. On the tier `free`,
    issues have one assignee and links of the type `relates_to` only. `upload_limit` is in bytes.
    """

    path: str
    members: Mapping[str, int] = field(default_factory=dict)
    merge_requests_author_approval: bool = False
    approvals_required: int = 0
    tier: Literal["free", "premium"] = "free"
    upload_limit: int = UPLOAD_LIMIT


@dataclass(frozen=True)
class Seed:
    """Everything that `Sandbox.seed` creates where it does not exist yet."""

    accounts: Sequence[Account] = ()
    jira_projects: Sequence[JiraProject] = ()
    gitlab_projects: Sequence[GitLabProject] = ()
