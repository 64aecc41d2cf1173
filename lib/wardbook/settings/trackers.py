"""Jira, GitLab, and what goes between them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import (
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from wardbook.domain.states import TicketStatus
from wardbook.settings.create_link import JiraCreate
from wardbook.settings.section import Section, Url


class JiraFields(Section):
    """Ids of the custom fields that hold a data request; a unit may do without the last two."""

    purpose: str
    legal_basis: str
    reference: str
    expires: str
    approver: str
    ethics: str
    dpo: str
    template: str
    parameters: str
    language: str
    recurrence: str | None = None
    colleagues: str | None = None


class JiraWorkflow(Section):
    """Names of the Jira statuses that we lead a ticket to, and the resolutions that we set.

    `todo` is where a ticket stands that was reopened; `dropped` is the resolution of a ticket that
    the unit closes without an answer.
    """

    working: str
    waiting: str
    done: str
    resolution: str
    todo: str = ""
    dropped: str = ""

    def status(self, wanted: TicketStatus) -> str:
        """Return the unit's name for a status."""
        names = {
            TicketStatus.WORKING: self.working,
            TicketStatus.WAITING: self.waiting,
            TicketStatus.DONE: self.done,
        }
        return names[wanted]


class JiraSettings(Section):
    """The Jira server. `overlap_minutes` covers a lagging index and minute-wide dates.

    Outputs of the channel `ticket` are attached up to `attach_max_bytes` each; 0: none is.
    """

    url: Url
    project: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]+$")]
    token: SecretStr
    account: str | None = None
    fields: JiraFields
    workflow: JiraWorkflow
    create: JiraCreate | None = None
    overlap_minutes: Annotated[int, Field(ge=1)] = 10
    census_hours: Annotated[float, Field(gt=0)] = 6.0
    attach_max_bytes: Annotated[int, Field(ge=0)] = 0


class GitLabSettings(Section):
    """The GitLab server. `people` names those of Jira who are called otherwise in GitLab.

    `accounts` pins the number of a reviewer's account: whoever takes over the name of a renamed
    one does not take over its approvals.
    """

    url: Url
    token: SecretStr
    branch: str = "main"
    people: Mapping[str, str] = Field(default_factory=dict)
    accounts: Mapping[str, int] = Field(default_factory=dict)

    @property
    def host(self) -> str:
        """The server's host, with its port where one is named."""
        return urlsplit(self.url).netloc


class AttachmentSettings(Section):
    """Which attachments of tickets are copied to GitLab: `text/*` allows a whole kind."""

    max_bytes: Annotated[int, Field(ge=0)] = 10_000_000
    media_types: tuple[str, ...] = (
        "application/json",
        "application/pdf",
        "application/vnd.oasis.opendocument.spreadsheet",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "image/gif",
        "image/jpeg",
        "image/png",
        "text/*",
    )


class SyncSettings(Section):
    """How many requests are brought up to date at a time."""

    workers: Annotated[int, Field(ge=1, le=64)] = 4


class WebhookSettings(Section):
    """Where Jira and GitLab may wake `wardbook serve`, and the secrets that prove it is they."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8089
    max_bytes: Annotated[int, Field(ge=1024)] = 1_048_576
    jira_secret: Annotated[SecretStr, Field(min_length=16)] | None = None
    gitlab_secret: Annotated[SecretStr, Field(min_length=16)] | None = None
    gitlab_signing_secret: SecretStr | None = None

    @field_validator("gitlab_signing_secret")
    @classmethod
    def _must_be_a_key(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None:
            decode_signing_secret(secret.get_secret_value())
        return secret

    @model_validator(mode="after")
    def _must_hold_a_secret(self) -> WebhookSettings:
        if not (self.jira_secret or self.gitlab_secret or self.gitlab_signing_secret):
            raise ValueError(
                "no secret. Set `jira_secret_file`, `gitlab_signing_secret_file` or "
                "`gitlab_secret_file`, or remove [webhooks]"
            )
        return self


def decode_signing_secret(secret: str) -> bytes:
    """Return the key in a secret of Standard Webhooks, `whsec_<base64>`.

    Raises:
        ValueError: it is none, or a key of less than 24 bytes.
    """
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith("whsec_") or len(key) < 24:
        raise ValueError("a signing secret is whsec_ and at least 24 bytes in Base64")
    return key
