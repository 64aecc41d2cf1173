"""GitLab's quick actions in descriptions and notes: found as GitLab finds them, and really done.

An action is a line that begins with `/name`, outside code blocks, HTML blocks and quote blocks,
after every carriage return is deleted. Found lines leave the text, also when the account may not
do what they say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

ALIASES = {
    "labels": "label",
    "remove_label": "unlabel",
    "remove_reviewer": "unassign_reviewer",
    "request_review": "assign_reviewer",
    "reviewer": "assign_reviewer",
    "wip": "draft",
}
NAMES = frozenset(
    [
        "add_child",
        "add_contacts",
        "add_email",
        "approve",
        "assign",
        "assign_reviewer",
        "award",
        "blocked_by",
        "blocks",
        "board_move",
        "checkin_reminder",
        "clear_health_status",
        "clear_weight",
        "clone",
        "close",
        "cc",
        "confidential",
        "convert_to_ticket",
        "copy_metadata",
        "create_merge_request",
        "done",
        "draft",
        "due",
        "duplicate",
        "epic",
        "estimate",
        "health_status",
        "internal",
        "invite_email",
        "iteration",
        "label",
        "labels",
        "link",
        "lock",
        "merge",
        "milestone",
        "move",
        "page",
        "parent_epic",
        "promote",
        "promote_to",
        "promote_to_incident",
        "publish",
        "react",
        "ready",
        "reassign",
        "reassign_reviewer",
        "rebase",
        "relabel",
        "relate",
        "remove_child",
        "remove_contacts",
        "remove_due_date",
        "remove_email",
        "remove_epic",
        "remove_estimate",
        "remove_iteration",
        "remove_label",
        "remove_milestone",
        "remove_parent",
        "remove_parent_epic",
        "remove_reviewer",
        "remove_time_spent",
        "remove_zoom",
        "reopen",
        "request_changes",
        "request_review",
        "reviewer",
        "run_pipeline",
        "set_parent",
        "severity",
        "ship",
        "spend",
        "spent",
        "spend_time",
        "submit_review",
        "subscribe",
        "tag",
        "target_branch",
        "timeline",
        "title",
        "todo",
        "type",
        "unapprove",
        "unassign",
        "unassign_reviewer",
        "unblock",
        "unlabel",
        "unlink",
        "unlock",
        "unsubscribe",
        "weight",
        "wip",
        "zoom",
    ]
)
SUBSTITUTES = {"shrug": "¯\\＿(ツ)＿/¯", "tableflip": "(╯°□°)╯︵ ┻━┻"}
PATTERN = re.compile(
    r"""
    (?P<code> ^```.+?\n```[ \t]*$ )
  | (?P<html> ^<[^>\n]+?>\n .+? \n</[^>\n]+?>$ )
  | (?P<quote> ^>>>[ \t]*\n .+? \n>>>[ \t]*$ )
  | ^/(?P<name>[a-z_]+) (?: [ \t]+ (?P<argument>[^\n]*) )? [ \t]* (?:\n|\Z)
    """,
    re.VERBOSE | re.MULTILINE | re.DOTALL | re.IGNORECASE,
)
BLANK = " \t\n\v\f\r\0"
LABEL = re.compile(r'~(?:"(?P<quoted>[^"\n]+)"|(?P<plain>[^\s,"~]+))')
USER = re.compile(r"@([\w.\-]+)")


@dataclass(frozen=True)
class Action:
    """One quick action, by its canonical name."""

    name: str
    argument: str


def extract(text: str) -> tuple[str, list[Action]]:
    """Return the text without its quick actions and without blanks at its end, and the actions.

    GitLab deletes carriage returns and trailing blanks of every text that it looks through.
    """
    actions: list[Action] = []

    def replace(match: re.Match[str]) -> str:
        if match["name"] is None:
            return match[0]
        name = match["name"].lower()
        argument = (match["argument"] or "").strip()
        if name in SUBSTITUTES:
            ending = "\n" if match[0].endswith("\n") else ""
            return f"{argument} {SUBSTITUTES[name]}".strip() + ending
        if name not in NAMES:
            return match[0]
        actions.append(Action(ALIASES.get(name, name), argument))
        return ""

    cleaned = PATTERN.sub(replace, text.replace("\r", ""))
    return cleaned.rstrip(BLANK), actions


def read_label_names(argument: str) -> list[str]:
    """Return the labels of `~a ~"b c"`; without a tilde, the whole words."""
    found = [m["quoted"] or m["plain"] for m in LABEL.finditer(argument)]
    return found or [
        word for word in argument.replace(",", " ").split() if not word.startswith("@")
    ]


def read_user_names(text: str) -> list[str]:
    """Return the user names after an at sign, each once."""
    return list(dict.fromkeys(name.rstrip(".") for name in USER.findall(text)))
