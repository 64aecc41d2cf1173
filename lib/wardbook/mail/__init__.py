"""Notices by mail: letters that hold nothing of the data by default, sent by the unit's server."""

from wardbook.mail.letter import Letter, is_one_address, write_letter
from wardbook.mail.sending import PERHAPS_SENT, MailFault, open_server, send_letter

__all__ = [
    "PERHAPS_SENT",
    "Letter",
    "MailFault",
    "is_one_address",
    "open_server",
    "send_letter",
    "write_letter",
]
