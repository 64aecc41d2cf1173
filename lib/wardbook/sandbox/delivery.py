"""Calls webhooks, on loopback only: a sandbox speaks to nobody else."""

from __future__ import annotations

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
