"""The one place that talks to Jira.

Wraps the `jira` client: every call has a time limit, writes are never retried here (a lost answer
may hide a done write; the ledger settles that by looking), and every failure becomes a
ForeignFault in our words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property
from io import BufferedReader
from typing import IO, Any
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from wardbook.domain.mirror import Attachment
from wardbook.errors import Fault, ForeignFault
from wardbook.settings import JiraSettings

_TIMEOUT = (5.0, 30.0)
_PAGE = 100
_FIELDS = (
    "summary",
    "description",
    "issuetype",
    "priority",
    "labels",
    "components",
    "reporter",
    "assignee",
    "duedate",
    "status",
    "resolution",
    "created",
    "updated",
    "issuelinks",
    "attachment",
    "comment",
)
Payload = Mapping[str, Any]


class NotOurs(Fault):
    """A file that we do not fetch: from elsewhere, or too large."""


class JiraPort:
    """What the platform asks of Jira, Server/DC and Cloud alike."""

    def __init__(self, settings: JiraSettings) -> None:
        self._settings = settings

    @cached_property
    def _client(self) -> Any:
        from jira import JIRA

        token = self._settings.token.get_secret_value()
        with _translated("sign in"):
            client = JIRA(
                server=self._settings.url.rstrip("/"),
                token_auth=None if self._settings.account else token,
                basic_auth=(self._settings.account, token) if self._settings.account else None,
                max_retries=0,
                timeout=_TIMEOUT,
            )
        settle_environment(client._session, self._settings.url)
        return client

    @cached_property
    def _fields(self) -> str:
        """What is asked of a ticket."""
        return ",".join([*_FIELDS, *self._settings.fields.model_dump(exclude_none=True).values()])

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

    def search_all(self) -> Iterator[Payload]:
        """Yield every ticket of the project, in the order of their keys."""
        yield from self._search(f'project = "{self._settings.project}" ORDER BY key ASC')

    def search_changed(self, since: datetime) -> Iterator[Payload]:
        """Yield the project's tickets changed since a moment, latest change first.

        The index may lag and dates are minutes wide: callers overlap their windows. Latest first,
        because a ticket that changes between two pages then comes twice, and none is missed.
        """
        query = f'project = "{self._settings.project}" AND updated >= "{self._local(since)}"'
        yield from self._search(f"{query} ORDER BY updated DESC")

    def _local(self, moment: datetime) -> str:
        """Return a moment as JQL reads it: minutes of our account's zone."""
        local = moment.astimezone(self.time_zone)
        if local.utcoffset() != local.replace(fold=1 - local.fold).utcoffset():
            # This clock time comes twice tonight: mean the earlier one.
            local = (moment - timedelta(hours=1)).astimezone(self.time_zone)
        return local.strftime("%Y/%m/%d %H:%M")

    def _search(self, query: str) -> Iterator[Payload]:
        with _translated("search tickets"):
            yield from self._pages(query, self._fields)

    def issue(self, key: str) -> Payload | None:
        """Return a ticket by key or id, read directly, or None where it is no longer there."""
        try:
            with _translated(f"read {key}"):
                found = self._client._get_json(f"issue/{key}", params={"fields": self._fields})
                return dict(found)
        except ForeignFault as fault:
            if fault.status == 404:
                return None
            raise

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

    def edit_comment(self, key: str, comment: str, text: str) -> None:
        """Replace the text of a comment of ours."""
        with _translated(f"change comment {comment} of {key}"):
            self._client._session.put(
                self._client._get_url(f"issue/{key}/comment/{comment}"), json={"body": text}
            )

    def delete_comment(self, key: str, comment: str) -> None:
        """Delete a comment of ours; one that is gone already is no error."""
        with suppress_missing(), _translated(f"delete comment {comment} of {key}"):
            self._client._session.delete(self._client._get_url(f"issue/{key}/comment/{comment}"))

    def assign(self, key: str, username: str) -> None:
        """Assign a ticket; nobody when the name is empty."""
        name = "accountId" if self._client._is_cloud else "name"
        with _translated(f"assign {key}"):
            self._client._session.put(
                self._client._get_url(f"issue/{key}/assignee"), json={name: username or None}
            )

    def download(self, attachment: Attachment, limit: int, to: IO[bytes]) -> str:
        """Stream an attachment into a file; returns its SHA-256.

        Only from Jira's own host, and never along a redirect: our token goes with the request.

        Raises:
            NotOurs: it stands elsewhere, or is larger than `limit` bytes.
            ForeignFault: Jira failed.
        """
        address = self._address_of(attachment)
        digest, size = hashlib.sha256(), 0
        with (
            _translated(f"fetch attachment {attachment.id}"),
            self._client._session.get(
                address, stream=True, allow_redirects=False, headers={"Accept": "*/*"}
            ) as answer,
        ):
            if answer.status_code != 200:
                raise NotOurs(f"Jira answers attachment {attachment.id} with a redirect.")
            for chunk in answer.iter_content(1 << 16):
                size += len(chunk)
                if size > limit:
                    raise NotOurs(f"attachment {attachment.id} is larger than {limit} bytes.")
                digest.update(chunk)
                to.write(chunk)
        return digest.hexdigest()

    def _address_of(self, attachment: Attachment) -> str:
        if self._client._is_cloud:
            # Cloud sends browsers on to another host; asked so, it answers by itself.
            path = f"attachment/content/{quote(attachment.id, safe='')}"
            return str(self._client._get_url(path)) + "?redirect=false"
        ours, theirs = urlsplit(self._settings.url), urlsplit(attachment.address)
        if (ours.scheme, ours.netloc) != (theirs.scheme, theirs.netloc):
            raise NotOurs(f"attachment {attachment.id} stands on another host than Jira's.")
        return attachment.address

    def address_of(self, username: str) -> str:
        """Return the mail address of an account; "" where it has none, or hides it."""
        name = "accountId" if self._client._is_cloud else "username"
        with _translated("read an account"):
            found = self._client._get_json("user", params={name: username})
        return str(found.get("emailAddress") or "")

    def attachments(self, key: str) -> list[Payload]:
        """Return what is attached to a ticket, read directly."""
        with _translated(f"read the attachments of {key}"):
            found = self._client._get_json(f"issue/{key}", params={"fields": "attachment"})
        return list(found["fields"].get("attachment") or [])

    def attach(self, key: str, name: str, file: BufferedReader) -> None:
        """Attach an open file to a ticket; Jira keeps several of one name."""
        with _translated(f"attach a file to {key}"):
            self._client.add_attachment(key, file, filename=name)

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

    def status(self, key: str) -> tuple[str, bool]:
        """Return the name of the ticket's status and whether it means done, read directly."""
        with _translated(f"read {key}"):
            found = self._client._get_json(f"issue/{key}", params={"fields": "status"})
        status = found["fields"]["status"]
        return str(status["name"]), (status.get("statusCategory") or {}).get("key") == "done"

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

    def project(self) -> Payload:
        """Return our project with its issue types and components."""
        with _translated("read the project"):
            return dict(self._client._get_json(f"project/{self._settings.project}"))

    def create_fields(self, issue_type: str) -> Iterator[Payload]:
        """Yield the fields that the create screen of an issue type shows."""
        path = f"issue/createmeta/{self._settings.project}/issuetypes/{quote(issue_type, safe='')}"
        read = 0
        while True:
            with _translated("read the create screen"):
                page = self._client._get_json(path, params={"startAt": read, "maxResults": _PAGE})
            fields = page.get("values") or page.get("fields") or []  # Server's name, and Cloud's
            yield from fields
            read += len(fields)
            if not fields or read >= page["total"]:
                return


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
            + advice(error.status_code),
            error.status_code or None,
        ) from None
    except RequestException as error:
        raise ForeignFault(
            f"Jira could not be reached to {doing} ({type(error).__name__}). "
            "It is tried again; check `jira.url` and the network if it stays so."
        ) from None


def settle_environment(session: Any, url: str) -> None:
    """Read proxies and certificates from the environment once, not at every call.

    A `.netrc` is not read at all: it would take the place of our token.
    """
    found = session.merge_environment_settings(url, {}, None, None, None)
    session.proxies.update(found["proxies"])
    session.verify = found["verify"]
    session.trust_env = False


@contextmanager
def suppress_missing() -> Iterator[None]:
    """Let a 404 pass: what was to go is gone."""
    try:
        yield
    except ForeignFault as fault:
        if fault.status != 404:
            raise


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
