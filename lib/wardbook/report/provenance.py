"""Where a report comes from, as its foot tells it."""

from __future__ import annotations

from dataclasses import dataclass

from wardbook.domain.output import Check


@dataclass(frozen=True)
class Provenance:
    """Everything that ties a report to its request, code, data and checks.

    Attributes:
        request: key of the ticket or request; `request_url` becomes a link if it is http(s).
        template_digest, environment: SHA-256 of the template's files and of the lock file.
        commit: of the request's notebook, None when the template was run by hand.
        run: key of the run; `started` its start, ISO 8601 with offset.
        sources: label, file name and SHA-256 of each data source.
        parameters: label and value, as the reader should see them.
        checks: verdicts on the outputs; dropped: files that the run wrote without declaring them.
        receipt: file name of the signed receipt in the report's folder, None without one.
        twins: labels of the data sources that are synthetic stand-ins: then nothing is a result.
    """

    request: str
    request_url: str | None
    service: str
    template: str
    template_version: str
    template_digest: str
    commit: str | None
    run: str
    started: str
    sources: tuple[tuple[str, str, str], ...]
    parameters: tuple[tuple[str, str], ...]
    checks: tuple[Check, ...]
    dropped: tuple[str, ...]
    environment: str
    receipt: str | None = None
    twins: tuple[str, ...] = ()
