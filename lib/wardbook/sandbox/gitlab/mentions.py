"""Whom a text mentions, as GitLab reads Markdown: not in code, links or comments, nor escaped."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, cast

import mistune

from wardbook.sandbox.store import Body, Records

ESCAPED = re.compile(r"(?<!\\)((?:\\\\)*)\\@")
NO_MENTION = "\ue000"
REFERENCE = re.compile(r"(?<!\w)@(\w[\w.\-]*(?:/\w[\w.\-]*)*)")
HIDDEN_HTML = re.compile(
    r"<!--.*?-->|<(pre|code|tt|a|style)\b.*?</\1\s*>|<[^>]*>", re.DOTALL | re.IGNORECASE
)
SILENT = frozenset({"block_code", "codespan", "link", "image", "inline_html"})


@cache
def parser() -> mistune.Markdown:
    """Return a parser into tokens."""
    return mistune.create_markdown(
        renderer=None, plugins=["table", "strikethrough", "footnotes", "task_lists"]
    )


def find_references(text: str) -> list[str]:
    """Return the names after an at sign that GitLab takes for people or groups, each once."""
    tokens = cast(list[dict[str, Any]], parser()(ESCAPED.sub(rf"\1{NO_MENTION}", text)))
    names = (m[1].rstrip(".").lower() for part in spoken(tokens) for m in REFERENCE.finditer(part))
    return list(dict.fromkeys(names))


def spoken(tokens: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield the running texts of a document, adjacent pieces joined."""
    joined = ""
    for token in tokens:
        if token["type"] == "text":
            joined += html.unescape(token["raw"])
            continue
        yield joined
        joined = ""
        if token["type"] == "block_html":
            yield html.unescape(HIDDEN_HTML.sub(" ", token["raw"]))
        elif token["type"] not in SILENT:
            yield from spoken(token.get("children", ()))
    yield joined


def mentioned_accounts(records: Records, project: Body, text: str) -> list[Body]:
    """Return the accounts that a text mentions: by name, by their group, or all of the project."""
    found: dict[int, Body] = {}
    for name in find_references(text):
        for account_id in accounts_called(records, project, name):
            account = records.get("account", account_id)
            if account:
                found[account_id] = account
    return list(found.values())


def accounts_called(records: Records, project: Body, name: str) -> list[int]:
    """Return the ids of the accounts that one name means."""
    group = records.find("gitlab.group", name)
    if name == "all":
        owners = [("gitlab.member", project["id"]), ("gitlab.group_member", project["group"])]
    elif group:
        owners = [("gitlab.group_member", group["id"])]
    else:
        return [a["id"] for a in records.all("account") if a["username"].lower() == name]
    return [m["user"] for kind, owner in owners for m in records.all(kind, owner)]
