"""Sending by SMTP (RFC 5321), encrypted unless the settings say otherwise in so many words."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import Message
from email.policy import compat32

from wardbook.errors import ForeignFault
from wardbook.settings import MailSettings

PERHAPS_SENT = "nobody knows whether it was sent"
_TIMEOUT = 30.0


class MailFault(ForeignFault):
    """A letter that the server did not take; never in the server's words, which hold addresses.

    `for_good` says that trying again changes nothing. Where the letter may have been taken, the
    message holds PERHAPS_SENT.
    """

    def __init__(self, message: str, *, for_good: bool = False) -> None:
        super().__init__(message)
        self.for_good = for_good


@contextmanager
def open_server(settings: MailSettings) -> Iterator[smtplib.SMTP]:
    """Open the unit's mail server, encrypted and signed in as the settings say.

    Raises:
        MailFault: it cannot be reached, offers no encryption that can be trusted, or does not let
            us in. Nothing was sent.
    """
    place = f"The mail server {settings.host}:{settings.port}"
    try:
        server = _connect(settings)
    except ssl.SSLError as error:
        raise MailFault(
            f"{place} has a certificate that cannot be trusted, or none "
            f"({getattr(error, 'verify_message', '') or type(error).__name__}). Nothing was sent. "
            "Put its authority's certificate into [mail] `ca_file`."
        ) from None
    except smtplib.SMTPNotSupportedError:
        raise MailFault(
            f"{place} does not offer what [mail] asks for: STARTTLS, or to sign in. Nothing was "
            'sent; nothing is sent in clear unless security is "none".'
        ) from None
    except smtplib.SMTPAuthenticationError as error:
        raise MailFault(
            f"{place} does not let us in ({error.smtp_code}). Check [mail] `account` and its "
            "password."
        ) from None
    except (OSError, smtplib.SMTPException) as error:
        raise MailFault(
            f"{place} could not be reached ({type(error).__name__}). It is tried again; check "
            "[mail] and the network if it stays so."
        ) from None
    try:
        yield server
    finally:
        with suppress(OSError, smtplib.SMTPException):
            server.quit()


def _connect(settings: MailSettings) -> smtplib.SMTP:
    context = ssl.create_default_context(cafile=settings.ca_file and str(settings.ca_file))
    if settings.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            settings.host, settings.port, timeout=_TIMEOUT, context=context
        )
    else:
        server = smtplib.SMTP(settings.host, settings.port, timeout=_TIMEOUT)
    try:
        if settings.security == "starttls":
            server.starttls(context=context)
        if settings.password is not None:
            server.login(settings.account, settings.password.get_secret_value())
        server.ehlo_or_helo_if_needed()
    except BaseException:
        server.close()
        raise
    return server


def send_letter(message: Message, settings: MailSettings) -> None:
    """Have the server take one message for its one recipient.

    Raises:
        MailFault: it did not, or its answer was lost: then PERHAPS_SENT.
    """
    # Another policy would decode our headers and write them anew.
    data = message.as_bytes(policy=compat32.clone(linesep="\r\n"))
    to = str(message["To"])
    with open_server(settings) as server:
        try:
            _require(server.mail(settings.sender), settings.sender)
            _require(server.rcpt(to), "the recipient")
        except (OSError, smtplib.SMTPException) as error:
            raise MailFault(
                f"The mail server broke off before it had the letter ({type(error).__name__}). "
                "It is tried again."
            ) from None
        try:
            answer = server.data(data)
        except smtplib.SMTPDataError as error:
            answer = (error.smtp_code, b"")
        except (OSError, smtplib.SMTPException) as error:
            raise MailFault(
                f"The mail server broke off while it took the letter ({type(error).__name__}): "
                f"{PERHAPS_SENT}. It is tried again."
            ) from None
        _require(answer, "the letter")


def _require(answer: tuple[int, bytes], what: str) -> None:
    code = answer[0]
    if not 200 <= code < 300:
        raise MailFault(
            f"The mail server does not take {what} ({code}). "
            + ("Check the address." if code >= 500 else "It is tried again."),
            for_good=code >= 500,
        )
