"""GitLab's side: issues, notes, links, branches, files and merge requests of a few projects."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from tests.fast_trackers.patterns import Bean
from tests.fast_trackers.wire import Call, Reply
from wardbook.sandbox.gitlab.labels import read_labels, with_labels

MARK = re.compile(r"^<!-- (wardbook:.*) -->$", re.MULTILINE)
TOUCH = timedelta(seconds=60)
LIST_ARGUMENTS = frozenset(
    {"state", "scope", "order_by", "sort", "created_after", "updated_after", "page", "per_page"}
)


def stamp(moment: datetime) -> str:
    """Return a time as GitLab writes it; such texts sort as the times do."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


@dataclass(slots=True)
class Item:
    """What is an issue's or merge request's own; the rest of its bean is the pattern's."""

    bean: Bean
    noted: datetime
    notes: list[Bean] = field(default_factory=list)
    links: list[tuple[int, Item]] = field(default_factory=list)


class Project:
    """One project. `changed` holds its issues in the order of their last change."""

    def __init__(self, id_: int, path: str) -> None:
        self.id, self.path = id_, path
        self.issues: list[Item] = []
        self.changed: dict[int, Item] = {}
        self.requests: list[Item] = []
        self.request_of: dict[str, Item] = {}
        self.branches: dict[str, str] = {"main": "0" * 40}
        self.commits: dict[str, dict[str, str]] = {"0" * 40: {}}


class GitLab:
    """The projects of the hospital's services, empty at the start."""

    def __init__(self, paths: list[str], patterns: dict[str, Any], url: str) -> None:
        self._patterns, self._url = patterns, url
        self._projects = {path: Project(id_, path) for id_, path in enumerate(paths, 1)}
        self._projects |= {str(project.id): project for project in self._projects.values()}
        self._ids = Counter[str]()
        self._contents: dict[str, str] = {}

    def answer(self, call: Call) -> Reply:
        """Answer one call."""
        if call.path == ("_state",):
            return Reply(self._state())
        match call.method, call.path[2:]:
            case "GET", ("user",):
                return Reply(self._patterns["user"], kind="user")
            case "GET", ("users",):
                name = call.argument("username")
                users = [u for u in self._patterns["users"] if u["username"] == name]
                return self._page(call, users, "users")
            case "GET", ("users", _, "gpg_keys"):
                return self._page(call, [], "gpg_keys")
            case _, ("projects", path, what, *rest) if project := self._projects.get(path):
                return self._about_project(project, what, tuple(rest), call)
        return self._missing("no_issue")

    def _missing(self, what: str, kind: str = "") -> Reply:
        return Reply(self._patterns[what], 404, kind=kind)

    def _about_project(
        self, project: Project, what: str, rest: tuple[str, ...], call: Call
    ) -> Reply:
        match call.method, what, rest:
            case "GET", "issues", ():
                return self._list_issues(project, call)
            case "POST", "issues", ():
                return self._create_issue(project, call.body)
            case _, "issues", (iid, *more):
                return self._about_item(project, project.issues, iid, tuple(more), call)
            case "GET", "merge_requests", ():
                return self._list_requests(project, call)
            case "POST", "merge_requests", ():
                return self._create_request(project, call.body)
            case _, "merge_requests", (iid, *more):
                return self._about_item(project, project.requests, iid, tuple(more), call)
            case "GET", "repository", ("branches", name):
                return self._read_branch(project, name)
            case "POST", "repository", ("commits",):
                return self._commit(project, call.body)
            case "GET", "repository", ("files", path, "raw"):
                return self._read_file(project, path, call.argument("ref"))
        return self._missing("no_issue")

    def _about_item(
        self, project: Project, items: list[Item], iid: str, more: tuple[str, ...], call: Call
    ) -> Reply:
        is_issue = items is project.issues
        kind = "issue" if is_issue else "merge_request"
        if not iid.isdigit() or not 0 < int(iid) <= len(items):
            return self._missing("no_issue", kind)
        item = items[int(iid) - 1]
        match call.method, more:
            case "GET", ():
                return Reply(self._shown(item), kind=kind)
            case "PUT", () if is_issue:
                return self._change_issue(project, item, call.body)
            case "GET", ("notes",):
                way = -1 if call.argument("sort", "desc") == "desc" else 1
                return self._page(call, item.notes[::way], f"{kind} notes")
            case "POST", ("notes",):
                return self._note(project, item, call.body, kind)
            case "GET", ("links",) if is_issue:
                beans = [self._linked(id_, other) for id_, other in item.links]
                return Reply(beans, kind="issue links")
            case "POST", ("links",) if is_issue:
                return self._link(item, call.body)
        return self._missing("no_issue")

    # --- issues ---------------------------------------------------------------------------

    def _shown(self, item: Item) -> Bean:
        pattern = self._patterns["issue" if "iid" in item.bean and "sha" not in item.bean
                                 else "request"]  # fmt: skip
        return {**pattern, **item.bean, "user_notes_count": len(item.notes)}

    def _list_issues(self, project: Project, call: Call) -> Reply:
        if unknown := set(call.query) - LIST_ARGUMENTS:
            return Reply({"error": f"not here: {sorted(unknown)}"}, 400, kind="issues")
        by_change = call.argument("order_by") == "updated_at"
        items = list(project.changed.values()) if by_change else project.issues
        for name, key in (("created_after", "created_at"), ("updated_after", "updated_at")):
            if after := call.argument(name):
                limit = stamp(datetime.fromisoformat(after).astimezone(UTC))
                items = [item for item in items if item.bean[key] >= limit]
        if (state := call.argument("state", "all")) != "all":
            items = [item for item in items if item.bean["state"] == state]
        if call.argument("sort", "desc") == "desc":
            items = items[::-1]
        return self._page(call, items, "issues", self._shown)

    def _create_issue(self, project: Project, body: Bean) -> Reply:
        moment, iid = datetime.now(UTC), len(project.issues) + 1
        web = f"{self._url}/{project.path}/-/issues/{iid}"
        api = f"{self._url}/api/v4/projects/{project.id}"
        bean = {
            "id": self._next("issue"),
            "iid": iid,
            "project_id": project.id,
            "title": body["title"],
            "description": body.get("description"),
            "state": "opened",
            "created_at": stamp(moment),
            "updated_at": stamp(moment),
            "labels": with_labels([], read_labels(body.get("labels"))),
            "confidential": bool(body.get("confidential")),
            "due_date": body.get("due_date"),
            "web_url": web,
            "_links": {
                **self._patterns["issue"]["_links"],
                "self": f"{api}/issues/{iid}",
                "notes": f"{api}/issues/{iid}/notes",
                "award_emoji": f"{api}/issues/{iid}/award_emoji",
                "project": api,
            },
            "references": references(project, f"#{iid}"),
        }
        item = Item(bean, moment)
        project.issues.append(item)
        project.changed[iid] = item
        return Reply(self._shown(item), 201, kind="issues")

    def _change_issue(self, project: Project, item: Item, body: Bean) -> Reply:
        bean = item.bean
        before = dict(bean)
        for name in ("title", "description", "confidential", "due_date"):
            if name in body:
                bean[name] = body[name]
        labels = read_labels(body["labels"]) if "labels" in body else bean["labels"]
        gone = read_labels(body.get("remove_labels"))
        labels = with_labels(labels, read_labels(body.get("add_labels")))
        bean["labels"] = [label for label in labels if label not in gone]
        if event := body.get("state_event"):
            bean["state"] = "closed" if event == "close" else "opened"
        if bean != before:
            self._touch(project, item, datetime.now(UTC))
        return Reply(self._shown(item), kind="issue")

    def _touch(self, project: Project, item: Item, moment: datetime) -> None:
        item.noted = moment
        item.bean["updated_at"] = stamp(moment)
        if project.changed.get(item.bean["iid"]) is item:
            project.changed[item.bean["iid"]] = project.changed.pop(item.bean["iid"])

    def _note(self, project: Project, item: Item, body: Bean, kind: str) -> Reply:
        moment = datetime.now(UTC)
        pattern = self._patterns["note" if kind == "issue" else "request_note"]
        bean = {
            **pattern,
            "id": self._next("note"),
            "body": body["body"],
            "created_at": stamp(moment),
            "updated_at": stamp(moment),
            "noteable_id": item.bean["id"],
            "noteable_iid": item.bean["iid"],
        }
        item.notes.append(bean)
        if moment - item.noted > TOUCH:
            self._touch(project, item, moment)
        return Reply(bean, 201, kind=f"{kind} notes")

    def _link(self, item: Item, body: Bean) -> Reply:
        other_project = self._projects.get(str(body["target_project_id"]))
        number = int(body["target_issue_iid"])
        if other_project is None or not 0 < number <= len(other_project.issues):
            return self._missing("no_issue", "issue links")
        other = other_project.issues[number - 1]
        if any(linked is other for _, linked in item.links):
            return Reply(self._patterns["second_link"], 409, kind="issue links")
        id_ = self._next("link")
        item.links.append((id_, other))
        other.links.append((id_, item))
        ends = {"source_issue": self._shown(item), "target_issue": self._shown(other)}
        return Reply({**self._patterns["linked"], "id": id_, **ends}, 201, kind="issue links")

    def _linked(self, id_: int, other: Item) -> Bean:
        return {**self._patterns["link"], **self._shown(other), "issue_link_id": id_}

    # --- code -----------------------------------------------------------------------------

    def _read_branch(self, project: Project, name: str) -> Reply:
        head = project.branches.get(name)
        if head is None:
            return self._missing("no_branch", "branch")
        pattern = self._patterns["branch"]
        commit = {**pattern["commit"], "id": head, "short_id": head[:8]}
        web = f"{self._url}/{project.path}/-/tree/{quote(name)}"
        bean = {**pattern, "name": name, "commit": commit, "web_url": web}
        return Reply(bean, kind="branch")

    def _commit(self, project: Project, body: Bean) -> Reply:
        branch, start = body["branch"], body.get("start_branch")
        known = project.branches.get(branch)
        if known and start:
            return Reply(self._patterns["second_branch"], 400, kind="commits")
        parent = known or project.branches.get(start or "")
        if parent is None:
            return self._missing("no_branch", "commits")
        files = dict(project.commits[parent])
        for action in body["actions"]:
            path, text = action["file_path"], action.get("content", "")
            if (action["action"] == "create") == (path in files):
                wrong = {"message": f"The action {action['action']} does not fit {path}"}
                return Reply(wrong, 400, kind="commits")
            # One copy of each text, however many branches hold it.
            files[path] = self._contents.setdefault(text, text)
        number = f"{project.id}/{branch}/{self._next('commit')}"
        sha = hashlib.sha1(number.encode(), usedforsecurity=False).hexdigest()
        project.commits[sha] = files
        project.branches[branch] = sha
        bean = {
            **self._patterns["commit"],
            "id": sha,
            "short_id": sha[:8],
            "parent_ids": [parent],
            "title": body["commit_message"].partition("\n")[0],
            "message": body["commit_message"],
            "project_id": project.id,
            "web_url": f"{self._url}/{project.path}/-/commit/{sha}",
        }
        return Reply(bean, 201, kind="commits")

    def _read_file(self, project: Project, path: str, ref: str) -> Reply:
        files = project.commits.get(project.branches.get(ref, ref), {})
        if path not in files:
            return self._missing("no_file", "file")
        return Reply(files[path].encode(), kind="file")

    def _list_requests(self, project: Project, call: Call) -> Reply:
        items = project.requests
        if branch := call.argument("source_branch"):
            items = [project.request_of[branch]] if branch in project.request_of else []
        return self._page(call, items[::-1], "merge_requests", self._shown)

    def _create_request(self, project: Project, body: Bean) -> Reply:
        if body["source_branch"] in project.request_of:
            return Reply(self._patterns["second_request"], 409, kind="merge_requests")
        moment, iid = datetime.now(UTC), len(project.requests) + 1
        bean = {
            "id": self._next("request"),
            "iid": iid,
            "project_id": project.id,
            "title": body["title"],
            "description": body.get("description"),
            "source_branch": body["source_branch"],
            "target_branch": body["target_branch"],
            "created_at": stamp(moment),
            "updated_at": stamp(moment),
            "sha": project.branches.get(body["source_branch"]),
            "reference": f"!{iid}",
            "references": references(project, f"!{iid}"),
            "web_url": f"{self._url}/{project.path}/-/merge_requests/{iid}",
        }
        item = Item(bean, moment)
        project.requests.append(item)
        project.request_of[body["source_branch"]] = item
        return Reply(self._shown(item), 201, kind="merge_requests")

    # --- common ---------------------------------------------------------------------------

    def _next(self, what: str) -> int:
        self._ids[what] += 1
        return self._ids[what]

    def _page(self, call: Call, items: list[Any], kind: str, show: Any = None) -> Reply:
        number = int(call.argument("page", "1"))
        size = min(int(call.argument("per_page", "20")), 100)
        last = max(1, -(-len(items) // size))
        chosen = items[(number - 1) * size : number * size]
        headers = {
            "X-Page": str(number),
            "X-Per-Page": str(size),
            "X-Total": str(len(items)),
            "X-Total-Pages": str(last),
            "X-Next-Page": str(number + 1) if number < last else "",
            "X-Prev-Page": str(number - 1) if number > 1 else "",
        }
        if number < last:
            path = call.target.partition("?")[0]
            query = urlencode({**call.query, "page": [number + 1]}, doseq=True)
            headers["Link"] = f'<{self._url}{path}?{query}>; rel="next"'
        return Reply([show(i) for i in chosen] if show else chosen, headers=headers, kind=kind)

    def _state(self) -> Bean:
        projects = {id(p): p for p in self._projects.values()}.values()
        issues = [item for p in projects for item in p.issues]
        marks = Counter(m for i in issues for m in MARK.findall(i.bean["description"] or ""))
        notes = Counter(
            (id(i), m) for i in issues for n in i.notes for m in MARK.findall(n["body"])
        )
        return {
            "issues": len(issues),
            "marks": len(marks),
            "marks_twice": sorted(mark for mark, times in marks.items() if times > 1),
            "notes": sum(len(item.notes) for item in issues),
            "notes_twice": sorted(mark for (_, mark), times in notes.items() if times > 1),
            "links": sum(len(item.links) for item in issues) // 2,
            "branches": sum(len(p.branches) - 1 for p in projects),
            "merge_requests": sum(len(p.requests) for p in projects),
            "labels": dict(Counter(label for i in issues for label in i.bean["labels"])),
        }


def references(project: Project, short: str) -> Bean:
    """Return the ways to refer to an issue or merge request."""
    return {"short": short, "relative": short, "full": f"{project.path}{short}"}
