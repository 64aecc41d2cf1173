"""The one place that talks to Jira.

Wraps the `jira` client: every call has a time limit, writes are never retried here (a lost answer
may hide a done write; the ledger settles that by looking), and every failure becomes a
ForeignFault in our words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from wardbook.errors import ForeignFault
from wardbook.settings import JiraSettings

_TIMEOUT = (5.0, 30.0)
_PAGE = 100
Payload = Mapping[str, Any]


class JiraPort:
    """What the platform asks of Jira, Server/DC and Cloud alike."""

    def __init__(self, settings: JiraSettings) -> None:
        self._settings = settings

    @cached_property
    def _client(self) -> Any:
        from jira import JIRA

        token = self._settings.token.get_secret_value()
        with _translated("sign in"):
            return JIRA(
                server=self._settings.url.rstrip("/"),
                token_auth=None if self._settings.account else token,
                basic_auth=(self._settings.account, token) if self._settings.account else None,
                max_retries=0,
                timeout=_TIMEOUT,
            )

    @cached_property
    def _me(self) -> Payload:
        with _translated("read our own account"):
            return dict(self._client.myself())

    @property
    def account(self) -> str:
        """Our own account: the name on Server/DC, the account id on Cloud."""
        return person_id(self._me)

    @property
    def time_zone(self) -> ZoneInfo:
        """The zone in which Jira reads the dates of our JQL."""
        try:
            return ZoneInfo(self._me.get("timeZone") or "UTC")
        except ZoneInfoNotFoundError as error:
            raise ForeignFault(f"Jira gives our account an unknown time zone: {error}") from None

    def search_changed(self, since: datetime | None) -> Iterator[Payload]:
        """Yield the project's tickets changed since a moment (all when None), oldest change first.

        The index may lag and dates are minutes wide: callers overlap their windows.
        """
        query = f'project = "{self._settings.project}"'
        if since is not None:
            local = since.astimezone(self.time_zone).strftime("%Y/%m/%d %H:%M")
            query += f' AND updated >= "{local}"'
        query += " ORDER BY updated ASC"
        fields = [
            "summary",
            "description",
            "status",
            "components",
            "reporter",
            "created",
            "updated",
        ]
        fields += self._settings.fields.model_dump(exclude_none=True).values()
        with _translated("search tickets"):
            yield from self._pages(query, ",".join(fields))

    def _pages(self, query: str, fields: str) -> Iterator[Payload]:
        client, position, token = self._client, 0, None
        while True:
            if client._is_cloud:
                page = client.enhanced_search_issues(
                    query, nextPageToken=token, maxResults=_PAGE, fields=fields, json_result=True
                )
                token = page.get("nextPageToken")
                more = token is not None
            else:
                page = client.search_issues(
                    query, startAt=position, maxResults=_PAGE, fields=fields, json_result=True
                )
                position += len(page["issues"])
                more = bool(page["issues"]) and position < page["total"]
            yield from page["issues"]
            if not more:
                return

    def comments(self, key: str) -> Iterator[Payload]:
        """Yield every comment of a ticket, oldest first; read directly, not from an index."""
        with _translated(f"read the comments of {key}"):
            position = 0
            while True:
                page = self._client._get_json(
                    f"issue/{key}/comment", params={"startAt": position, "maxResults": _PAGE}
                )
                yield from page["comments"]
                position += len(page["comments"])
                if not page["comments"] or position >= page["total"]:
                    return

    def add_comment(self, key: str, text: str) -> str:
        """Add a comment in wiki markup; returns its id."""
        with _translated(f"comment on {key}"):
            return str(self._client.add_comment(key, text).id)

    def put_remote_link(self, key: str, identity: str, url: str, title: str) -> None:
        """Create the remote link with the global id `identity`, or bring it up to date."""
        from jira.exceptions import JIRAError

        link = {"globalId": identity, "object": {"url": url, "title": title}}
        with _translated(f"link {key}"):
            response = self._client._session.post(
                self._client._get_url(f"issue/{key}/remotelink"), json=link
            )
            if not response.ok:
                raise JIRAError(status_code=response.status_code)

    def remote_links(self, key: str) -> list[Payload]:
        """Return the ticket's remote links."""
        with _translated(f"read the links of {key}"):
            return [link.raw for link in self._client.remote_links(key)]

    def status(self, key: str) -> str:
        """Return the name of the ticket's status, read directly."""
        with _translated(f"read {key}"):
            return str(self._client.issue(key, fields="status").fields.status.name)

    def transitions(self, key: str) -> list[Payload]:
        """Return the moves that the workflow offers for this ticket now."""
        with _translated(f"read the transitions of {key}"):
            return list(self._client.transitions(key, expand="transitions.fields"))

    def transition(self, key: str, transition_id: str, fields: Mapping[str, Any]) -> None:
        """Make a move of the workflow."""
        with _translated(f"move {key}"):
            self._client.transition_issue(key, transition_id, fields=dict(fields))

    def field_names(self) -> dict[str, str]:
        """Return the id and the name of every field, for `wardbook doctor`."""
        with _translated("read the fields"):
            return {field["id"]: field["name"] for field in self._client.fields()}


def person_id(payload: Payload) -> str:
    """Return what names an account: `name` on Server/DC, `accountId` on Cloud."""
    return str(payload.get("name") or payload.get("accountId") or "")


@contextmanager
def _translated(doing: str) -> Iterator[None]:
    """Turn the client's errors into ours. Never their text: it can hold headers and bodies."""
    from jira.exceptions import JIRAError
    from requests import RequestException

    try:
        yield
    except JIRAError as error:
        raise ForeignFault(
            f"Jira did not let us {doing} (HTTP {error.status_code or 'without answer'}). "
            + advice(error.status_code)
        ) from None
    except RequestException as error:
        raise ForeignFault(
            f"Jira could not be reached to {doing} ({type(error).__name__}). "
            "It is tried again; check `jira.url` and the network if it stays so."
        ) from None


def advice(status: int | None) -> str:
    """Say what to do about an HTTP status of a tracker."""
    match status:
        case 401:
            return "Check the token: it may have expired."
        case 403:
            return "Check that our account has the right to do so."
        case 404:
            return "It is not there, or our account may not see it."
        case 429:
            return "We asked too often; it is tried again later."
        case _:
            return "It is tried again."
