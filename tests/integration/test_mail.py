"""Mails by a real SMTP server of the test's own: encrypted, once, and never in the way."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from pipelines.demo.world import BOT, FIELDS
from pipelines.mails import MailSend
from tests.desk import Desk
from wardbook.domain.record import Intent
from wardbook.domain.states import State
from wardbook.mail import PERHAPS_SENT, Letter, MailFault, send_letter, write_letter
from wardbook.settings import MailSettings

pytestmark = pytest.mark.xdist_group("mail")
FIELD = FIELDS["template"].id
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@dataclass
class Mailbox:
    """What a server took; it turns recipients away with `refusal`, or breaks off."""

    letters: list[Any] = field(default_factory=list)
    refusal: str = ""
    breaks_off: bool = False
    in_clear: list[bool] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        del server, session, options
        if self.refusal:
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        del session
        self.in_clear.append(server.transport.get_extra_info("cipher") is None)
        message = message_from_bytes(envelope.content, policy=default)
        self.letters.append((envelope.rcpt_tos, message))
        if self.breaks_off:
            server.transport.abort()
        return "250 OK"


class Server(Controller):
    """One that takes the port that is free."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def unused_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 and its key, in one file."""
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    here = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([here]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("mail") / "server.pem"
    pem = serialization.Encoding.PEM
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file.write_bytes(key.private_bytes(pem, form, plain) + made.public_bytes(pem))
    return file


@contextmanager
def serving(
    box: Mailbox, certificate: Path | None, *, tls: bool = False, **options: Any
) -> Iterator[int]:
    """Run a server on a free port of this machine."""
    context = None
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    if tls:
        options["ssl_context"] = context
    elif context is not None:
        options["tls_context"] = context
    server = Server(box, hostname="127.0.0.1", port=0, **options)
    server.start()
    try:
        yield server.port
    finally:
        server.stop()


def settings_of(port: int, certificate: Path | None = None, **changes: Any) -> MailSettings:
    given = {
        "host": "127.0.0.1",
        "port": port,
        "sender": "unit@hospital.example",
        "ca_file": certificate,
    }
    return MailSettings.model_validate(given | changes)


def send(settings: MailSettings, subject: str = "Prêt") -> None:
    letter = Letter("ada@hospital.example", subject, "Le résultat est prêt.\n.\nFin", "key")
    message = write_letter(letter, sender=settings.sender, name="Unité", now=NOW)
    send_letter(message, settings)


def test_a_letter_goes_out_encrypted_and_whole(certificate: Path) -> None:
    box = Mailbox()
    with serving(box, certificate, require_starttls=True) as port:
        send(settings_of(port, certificate), "Prêt\r\nBcc: eve@evil.example")
    ((to, message),) = box.letters
    assert to == ["ada@hospital.example"]
    assert box.in_clear == [False]
    assert message["Bcc"] is None
    assert message["Subject"] == "Prêt Bcc: eve@evil.example"
    assert message.get_content().replace("\r\n", "\n").rstrip() == "Le résultat est prêt.\n.\nFin"


def test_a_server_that_speaks_tls_from_the_first_octet(certificate: Path) -> None:
    box = Mailbox()
    with serving(box, certificate, tls=True) as port:
        send(settings_of(port, certificate, security="tls"))
    assert len(box.letters) == 1
    assert box.in_clear == [False]


def test_nothing_is_sent_in_clear_unless_the_settings_say_so(certificate: Path) -> None:
    box = Mailbox()
    with serving(box, None) as port:
        with pytest.raises(MailFault, match="does not offer"):
            send(settings_of(port, certificate))
        assert box.letters == []
        send(settings_of(port, security="none"))
    assert box.in_clear == [True]


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(certificate: Path) -> None:
    box = Mailbox()
    with serving(box, certificate) as port, pytest.raises(MailFault, match="cannot be trusted"):
        send(settings_of(port))
    assert box.letters == []


def test_the_account_signs_in(certificate: Path) -> None:
    def judge(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        del server, session, envelope, mechanism
        known = (data.login, data.password) == (b"unit", b"s3cret")
        return AuthResult(success=known, handled=known)

    box = Mailbox()
    with serving(box, certificate, authenticator=judge, auth_required=True) as port:
        send(settings_of(port, certificate, account="unit", password="s3cret"))
        assert len(box.letters) == 1
        with pytest.raises(MailFault, match="let us in") as caught:
            send(settings_of(port, certificate, account="unit", password="wr0ng"))
        assert "wr0ng" not in str(caught.value)
        with pytest.raises(MailFault):
            send(settings_of(port, certificate))
    assert len(box.letters) == 1


@pytest.mark.parametrize(
    ("refusal", "for_good"), [("550 no such user", True), ("451 later", False)]
)
def test_a_refusal_is_for_good_or_not_and_told_in_our_words(refusal: str, for_good: bool) -> None:
    box = Mailbox(refusal=refusal)
    with serving(box, None) as port, pytest.raises(MailFault) as caught:
        send(settings_of(port, security="none"))
    assert caught.value.for_good is for_good
    assert "user" not in str(caught.value)
    assert PERHAPS_SENT not in str(caught.value)


def test_an_answer_that_is_lost_is_told_as_such() -> None:
    box = Mailbox(breaks_off=True)
    with serving(box, None) as port, pytest.raises(MailFault, match=PERHAPS_SENT):
        send(settings_of(port, security="none"))
    assert len(box.letters) == 1, "it had been taken"


# --- the request's way ---------------------------------------------------------------------------


def use_mail(desk: Desk, port: int, **changes: Any) -> None:
    mail = settings_of(port, security="none", **changes)
    desk.house.settings = desk.house.settings.model_copy(update={"mail": mail})


def stuck(desk: Desk) -> list[str]:
    return [intent.kind for _, intent in desk.house.ledger.stuck_intents()]


def test_a_refusal_is_told_by_mail_without_a_word_of_the_ticket(desk: Desk) -> None:
    box = Mailbox()
    with serving(box, None) as port:
        use_mail(desk, port)
        key = desk.file(summary="Petite question\u2028Bcc: eve@evil.example", **{FIELD: "nothing"})
        desk.sync()
        desk.sync()
    assert desk.record(key).state is State.REFUSED
    ((to, message),) = box.letters
    assert to == ["cmoreau@hopital.example"]
    assert message["Subject"] == f"Demande {key}\u00a0: à corriger dans le ticket"
    text = message.get_content()
    assert f"/browse/{key}" in text
    assert "Petite question" not in text
    assert len(list(desk.house.jira.comments(key))) == 1


def test_a_server_that_is_away_holds_nothing_up_and_is_asked_again(desk: Desk) -> None:
    use_mail(desk, unused_port())
    key = desk.file(**{FIELD: "nothing"})
    desk.sync()
    assert desk.record(key).state is State.REFUSED
    assert len(list(desk.house.jira.comments(key))) == 1
    assert stuck(desk) == ["mail.send"]
    box = Mailbox()
    with serving(box, None) as port:
        use_mail(desk, port)
        desk.sync()
        assert box.letters == [], "its pause is not over"
        desk.later(seconds=30)
        desk.sync()
        desk.sync()
    assert len(box.letters) == 1
    assert "peut-être" not in box.letters[0][1].get_content(), "it was certain that it was not sent"
    assert stuck(desk) == []


def intent_of(**changes: Any) -> Intent:
    payload = {"to": "cmoreau", "subject": "Prêt", "text": "Prêt.", "language": "fr"}
    return Intent("data-1-x/answered/mail.send", "mail.send", payload, **changes)


def test_what_may_have_been_sent_is_sent_again_as_the_same_letter_and_says_so(desk: Desk) -> None:
    box = Mailbox()
    with serving(box, None) as port:
        use_mail(desk, port)
        key = desk.file()
        desk.sync()
        record, effect = desk.record(key), MailSend(desk.house)
        lost = f"broke off: {PERHAPS_SENT}."
        for intent in (
            intent_of(),
            intent_of(attempts=1),
            intent_of(attempts=1, error=lost),
            intent_of(attempts=1, error="could not be reached"),
        ):
            effect.do(intent, record)
    messages = [message for _, message in box.letters]
    assert len({message["Message-ID"] for message in messages}) == 1
    again = ["peut-être envoyé pour la seconde fois" in one.get_content() for one in messages]
    assert again == [False, True, True, False]


@pytest.mark.parametrize(
    ("refusal", "changes", "told"),
    [
        ("550 no", {}, "does not take the recipient (550)"),
        ("451 later", {"attempts": 11, "error": "x"}, "does not take the recipient (451)"),
        ("", {"payload": {"to": "nobody"}}, "adresse utilisable"),
    ],
)
def test_what_cannot_be_sent_is_told_once_on_the_issue(
    desk: Desk, refusal: str, changes: Any, told: str
) -> None:
    box = Mailbox(refusal=refusal)
    with serving(box, None) as port:
        use_mail(desk, port)
        key = desk.file()
        desk.sync()
        record, effect = desk.record(key), MailSend(desk.house)
        intent = intent_of(**{k: v for k, v in changes.items() if k != "payload"})
        intent = Intent(
            intent.key,
            intent.kind,
            {**intent.payload, **changes.get("payload", {})},
            intent.attempts,
            intent.error,
        )
        for _ in range(2):
            assert told in effect.do(intent, record).detail["skipped"]
        if refusal.startswith("451"):
            with pytest.raises(MailFault):
                effect.do(intent_of(attempts=3, error="x"), record)
    notes = [n.body for n in desk.issue(key, BOT).notes.list(iterator=True) if told in n.body]
    assert len(notes) == 1
    assert box.letters == []
