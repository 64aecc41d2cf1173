"""Mails to requesters: a convenience beside the ticket, which nothing waits for.

Nobody can look into a mailbox, so a mail that may have been sent is sent again, under the same
Message-ID and saying so. One that is refused, or fails too often, is given up with a note on the
issue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pipelines.house import House
from requests_sync.gitlab_effects import GitLabNote
from requests_sync.places import may_exist
from requests_sync.sight import Sight
from wardbook.domain.record import Intent, Outcome, Record
from wardbook.errors import ForeignFault
from wardbook.mail import (
    PERHAPS_SENT,
    Letter,
    MailFault,
    is_one_address,
    send_letter,
    write_letter,
)
from wardbook.messages import Language, say
from wardbook.settings import MailSettings


@dataclass(frozen=True)
class MailSend:
    """A notice to the requester's address, as Jira knows it when it is sent."""

    house: House
    most_tries: ClassVar[int] = 12
    """With pauses that double from two seconds: for more than an hour."""

    def find(self, intent: Intent, record: Record) -> Outcome | None:
        """Nothing to look for."""
        del intent, record
        return None

    def do(self, intent: Intent, record: Record) -> Outcome:
        """Send it; after too many failures, or one for good, tell the analysts instead."""
        settings = self.house.settings.mail
        if settings is None:
            return Outcome(detail={"skipped": "there is no [mail] in the settings any more"})
        address = self._address_of(str(intent.payload["to"]))
        if not is_one_address(address):
            reason = say(self.house.settings.unit.language, "notice.mail_no_address")
            return self._give_up(intent, record, reason)
        try:
            self._send(intent, record, address, settings)
        except MailFault as fault:
            failures = intent.attempts + 1 if intent.error else 1
            if fault.for_good or failures >= self.most_tries:
                return self._give_up(intent, record, str(fault))
            raise
        return Outcome(detail={"mail": "sent"})

    def _address_of(self, username: str) -> str:
        try:
            return self.house.jira.address_of(username)
        except ForeignFault as fault:
            if fault.status not in {403, 404}:
                raise
            return ""

    def _send(self, intent: Intent, record: Record, address: str, settings: MailSettings) -> None:
        payload, text = intent.payload, str(intent.payload["text"])
        language: Language = payload["language"]
        if is_perhaps_sent(intent, record):
            text = f"{say(language, 'notice.mail_again')}\n\n{text}"
        letter = Letter(address, str(payload["subject"]), text, intent.key)
        message = write_letter(
            letter,
            sender=settings.sender,
            name=self.house.settings.unit.name,
            now=self.house.now(),
        )
        send_letter(message, settings)

    def _give_up(self, intent: Intent, record: Record, reason: str) -> Outcome:
        unit = self.house.settings.unit.language
        text = say(unit, "notice.mail_lost", key=record.key, reason=reason)
        note = Intent(f"{intent.key}/lost", "gitlab.note", {"on": "issue", "text": text})
        effect = GitLabNote(self.house.gitlab, Sight(self.house.jira, self.house.gitlab))
        view = {}
        if effect.find(note, record) is None:
            view = dict(effect.do(note, record).view)
        return Outcome(detail={"skipped": reason}, view=view)


def is_perhaps_sent(intent: Intent, record: Record) -> bool:
    """Tell whether an earlier attempt may have gone through without our knowing."""
    if intent.error is not None:
        return PERHAPS_SENT in intent.error
    return may_exist(intent, record)
