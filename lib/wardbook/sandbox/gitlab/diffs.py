"""Git's patches as GitLab answers them: one entry for each file."""

from __future__ import annotations

import re

from wardbook.sandbox.gitlab.git import Repository
from wardbook.sandbox.store import Body

HEADER = re.compile(rb"^diff --git ", re.MULTILINE)
NAMES = re.compile(r'^"?a/(?P<old>.+?)"? "?b/(?P<new>.+?)"?$')


def diff_beans(store: Repository, old: str, new: str) -> list[Body]:
    """Return the changed files between two commits or trees."""
    return [read_part(part) for part in HEADER.split(store.diff(old, new))[1:]]


def read_part(part: bytes) -> Body:
    """Parse the patch of one file."""
    lines = part.decode(errors="replace").split("\n")
    head, hunks = lines, []
    for number, line in enumerate(lines):
        if line.startswith("@@"):
            head, hunks = lines[:number], lines[number:]
            break
    facts = {
        key: line[len(key) + 1 :]
        for line in head[1:]
        for key in FACTS
        if line.startswith(f"{key} ")
    }
    names = NAMES.match(head[0])
    old = facts.get("rename from") or (names["old"] if names else head[0])
    new = facts.get("rename to") or (names["new"] if names else head[0])
    index = facts.get("index", "").partition(" ")[2]
    binary = any(line.startswith("Binary files") for line in head)
    return {
        "diff": "\n".join(hunks) if not binary else "Binary files differ\n",
        "new_path": new,
        "old_path": old,
        "a_mode": facts.get("old mode") or facts.get("deleted file mode") or index
        or ("0" if "new file mode" in facts else "100644"),
        "b_mode": facts.get("new mode") or facts.get("new file mode") or index
        or ("0" if "deleted file mode" in facts else "100644"),
        "new_file": "new file mode" in facts,
        "renamed_file": "rename to" in facts,
        "deleted_file": "deleted file mode" in facts,
        "generated_file": False,
    }  # fmt: skip


FACTS = (
    "old mode", "new mode", "new file mode", "deleted file mode", "rename from", "rename to",
    "index",
)  # fmt: skip
