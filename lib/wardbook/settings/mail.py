"""Notices by mail, off unless there is such a section."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from wardbook.settings.section import Section


class MailSettings(Section):
    """The mail server by which requesters are told that there is an answer, or a refusal.

    `ca_file` holds the certificate of the server's authority where the system does not know it.
    `figures` puts the headline figures into the mail; without it there are links only.
    """

    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:-]+$")]
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: Annotated[str, Field(pattern=r"^[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+$")]
    account: str = ""
    password: Annotated[SecretStr, Field(min_length=1)] | None = None
    ca_file: Path | None = None
    figures: bool = False

    @model_validator(mode="after")
    def _secrets_are_not_sent_in_clear(self) -> MailSettings:
        if bool(self.account) != (self.password is not None):
            raise ValueError("`account` and `password_file` go together")
        if self.password is not None and self.security == "none":
            raise ValueError('a password is not sent in clear: set security = "starttls" or "tls"')
        return self
