"""What GitLab's answers are made of: users, projects, issues, notes, merge requests."""

from __future__ import annotations

from datetime import timedelta

from wardbook.sandbox.gitlab.access import level, may_see
from wardbook.sandbox.house import house, instant, moment, now, records, sandbox, stamp
from wardbook.sandbox.store import Body


def user_bean(user_id: int | None) -> Body | None:
    """Return a user."""
    account = None if user_id is None else records().get("account", user_id)
    if account is None:
        return None
    return {
        "id": account["id"],
        "username": account["username"],
        "name": account["name"],
        "state": "active" if account.get("active", True) else "blocked",
        "avatar_url": f"{house().gitlab_url}/static/avatar.svg",
        "web_url": f"{house().gitlab_url}/{account['username']}",
    }


def user_beans(user_ids: list[int]) -> list[Body]:
    """Return several users."""
    return [bean for bean in map(user_bean, user_ids) if bean]


def project_url(project: Body) -> str:
    """Return the address of a project's page."""
    return f"{house().gitlab_url}/{project['path_with_namespace']}"


def simple_project_bean(project: Body) -> Body:
    """Return a project as `?simple=true` shows it."""
    group = records().get("gitlab.group", project["group"]) or {}
    path = project["path_with_namespace"]
    port = house().gitlab_url.rpartition(":")[2]
    return {
        "id": project["id"],
        "description": project["description"],
        "name": project["name"],
        "name_with_namespace": f"{group['name']} / {project['name']}",
        "path": project["path"],
        "path_with_namespace": path,
        "created_at": project["created_at"],
        "default_branch": project["default_branch"],
        "tag_list": [],
        "ssh_url_to_repo": f"ssh://git@127.0.0.1:{port}/{path}.git",
        "http_url_to_repo": f"{project_url(project)}.git",
        "web_url": project_url(project),
        "readme_url": f"{project_url(project)}/-/blob/{project['default_branch']}/README.md",
        "forks_count": 0,
        "avatar_url": None,
        "star_count": 0,
        "last_activity_at": project["last_activity_at"],
        "namespace": namespace_bean(group),
    }


def namespace_bean(group: Body) -> Body:
    """Return a group as a project shows it."""
    return {
        "id": group["id"],
        "name": group["name"],
        "path": group["full_path"].rpartition("/")[2],
        "kind": "group",
        "full_path": group["full_path"],
        "parent_id": group["parent"],
    }


def project_bean(project: Body) -> Body:
    """Return a project whole."""
    base = f"{house().gitlab_url}/api/v4/projects/{project['id']}"
    own = level(project)
    return {
        **simple_project_bean(project),
        "topics": [],
        "empty_repo": False,
        "archived": False,
        "visibility": "private",
        "creator_id": 1,
        "issues_enabled": True,
        "merge_requests_enabled": True,
        "jobs_enabled": True,
        "wiki_enabled": False,
        "snippets_enabled": False,
        "packages_enabled": True,
        "pages_access_level": "private",
        "merge_method": "merge",
        "squash_option": "default_off",
        "only_allow_merge_if_pipeline_succeeds": False,
        "only_allow_merge_if_all_discussions_are_resolved": False,
        "remove_source_branch_after_merge": True,
        "open_issues_count": records().count_where(
            "gitlab.issue", project["id"], "state", "opened"
        ),
        "permissions": {
            "project_access": {"access_level": own, "notification_level": 3} if own else None,
            "group_access": None,
        },
        "_links": {
            "self": base,
            **{
                name: f"{base}/{name.replace('repo_branches', 'repository/branches')}"
                for name in ("issues", "merge_requests", "repo_branches", "labels", "members")
            },
        },
    }


def references(project: Body, short: str) -> Body:
    """Return the ways to refer to an issue (`#1`) or merge request (`!1`)."""
    return {
        "short": short,
        "relative": short,
        "full": f"{project['path_with_namespace']}{short}",
    }


def time_stats(item: Body) -> Body:
    """Return what `/estimate` and `/spend` count; neither is kept here."""
    return {
        "time_estimate": item.get("time_estimate", 0),
        "total_time_spent": 0,
        "human_time_estimate": None,
        "human_total_time_spent": None,
    }


def tasks(text: str | None) -> Body:
    """Return how many check boxes a text has, and how many are ticked."""
    lines = [line.lstrip(" *+-").lower() for line in (text or "").splitlines()]
    done = sum(line.startswith("[x]") for line in lines)
    return {"count": done + sum(line.startswith("[ ]") for line in lines), "completed_count": done}


def issue_bean(project: Body, issue: Body) -> Body:
    """Return an issue."""
    assignees = user_beans(issue["assignees"])
    url = f"{project_url(project)}/-/issues/{issue['iid']}"
    base = f"{house().gitlab_url}/api/v4/projects/{project['id']}"
    return {
        "id": issue["id"],
        "iid": issue["iid"],
        "project_id": project["id"],
        "title": issue["title"],
        "description": issue["description"],
        "state": issue["state"],
        "created_at": issue["created_at"],
        "updated_at": issue["updated_at"],
        "closed_at": issue["closed_at"],
        "closed_by": user_bean(issue["closed_by"]),
        "labels": issue["labels"],
        "milestone": None,
        "assignees": assignees,
        "author": user_bean(issue["author"]),
        "type": "ISSUE",
        "assignee": assignees[0] if assignees else None,
        "user_notes_count": count_user_notes("gitlab.issue", issue["id"]),
        "merge_requests_count": 0,
        "upvotes": 0,
        "downvotes": 0,
        "due_date": issue["due_date"],
        "confidential": issue["confidential"],
        "discussion_locked": issue["discussion_locked"],
        "issue_type": "issue",
        "web_url": url,
        "time_stats": time_stats(issue),
        "task_completion_status": tasks(issue["description"]),
        "weight": issue.get("weight"),
        "blocking_issues_count": 0,
        "has_tasks": tasks(issue["description"])["count"] > 0,
        "_links": {
            "self": f"{base}/issues/{issue['iid']}",
            "notes": f"{base}/issues/{issue['iid']}/notes",
            "award_emoji": f"{base}/issues/{issue['iid']}/award_emoji",
            "project": base,
            "closed_as_duplicate_of": None,
        },
        "references": references(project, f"#{issue['iid']}"),
        "severity": "UNKNOWN",
        "moved_to_id": None,
        "imported": False,
        "imported_from": "none",
    }


def count_user_notes(kind: str, item_id: int) -> int:
    """Return how many notes people wrote on an issue or merge request."""
    return records().count_where(f"{kind}.note", item_id, "system", False)


def item_notes(kind: str, item_id: int) -> list[Body]:
    """Return the notes of an issue (`gitlab.issue`) or merge request (`gitlab.mr`)."""
    return records().all(f"{kind}.note", item_id)


def note_bean(note: Body) -> Body:
    """Return a note."""
    return {
        "id": note["id"],
        "type": None,
        "body": note["body"],
        "attachment": None,
        "author": user_bean(note["author"]),
        "created_at": note["created_at"],
        "updated_at": note["updated_at"],
        "system": note["system"],
        "noteable_id": note["noteable_id"],
        "noteable_type": note["noteable_type"],
        "resolvable": False,
        "confidential": note["internal"],
        "internal": note["internal"],
        "noteable_iid": note["noteable_iid"],
        "commands_changes": {},
    }


def visible(project: Body, issues: list[Body]) -> list[Body]:
    """Return the issues that the asking account sees."""
    return [issue for issue in issues if may_see(project, issue)]


def touched(item: Body) -> Body:
    """Mark an issue or merge request as changed now."""
    item["updated_at"] = instant()
    return item


def touched_by_note(item: Body) -> Body:
    """Mark an item as changed by a note: GitLab does so at most once a minute.

    Source: `ThrottledTouch` and `Note#touch_noteable` in gitlabhq/gitlabhq.
    """
    interval = timedelta(seconds=sandbox().touch_seconds)
    return touched(item) if now() - moment(item["updated_at"]) > interval else item


def api_time(text: str) -> str:
    """Return any ISO 8601 time as GitLab writes it."""
    return stamp(moment(text))
