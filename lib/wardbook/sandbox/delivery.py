"""Calls webhooks, on loopback only: a sandbox speaks to nobody else."""

from __future__ import annotations

import base64
import binascii
import hmac
import http.client
import ipaddress
import logging
from urllib.parse import urlsplit

log = logging.getLogger(__name__)


def is_loopback(host: str | None) -> bool:
    """Tell whether a host is this machine, without asking a name server."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def signing_key(token: str) -> bytes:
    """Return the key in a signing token, `whsec_<base64>`; nothing if it is none."""
    prefix, _, encoded = str(token).partition("_")
    try:
        return base64.b64decode(encoded, validate=True) if prefix == "whsec" else b""
    except (binascii.Error, ValueError):
        return b""


def sign(token: str, delivery: str, seconds: int, body: bytes) -> dict[str, str]:
    """Return the headers that Standard Webhooks wants.

    Args:
        token: the signing token.
        delivery: names this delivery, also when it is repeated.
        seconds: when it is sent, since 1970.
        body: what is signed together with the two.
    """
    signed = f"{delivery}.{seconds}.".encode() + body
    digest = base64.b64encode(hmac.digest(signing_key(token), signed, "sha256")).decode()
    return {
        "webhook-id": delivery,
        "webhook-timestamp": str(seconds),
        "webhook-signature": f"v1,{digest}",
    }


def deliver(url: str, headers: dict[str, str], body: bytes) -> None:
    """POST a webhook's body once; a receiver that is down misses it, as in the real products."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not is_loopback(parts.hostname):
        log.warning("webhook to %s not delivered: not a loopback address", parts.hostname)
        return
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=10)
    try:
        target = parts.path or "/"
        connection.request(
            "POST", f"{target}?{parts.query}" if parts.query else target, body, headers
        )
        connection.getresponse().read()
    except OSError as error:
        log.warning("webhook to %s not delivered: %s", url, error)
    finally:
        connection.close()
