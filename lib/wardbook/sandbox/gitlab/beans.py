"""What GitLab's answers are made of: users, projects, issues, notes, merge requests."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from wardbook.sandbox.gitlab.access import asker, level, may_push, may_see, repository
from wardbook.sandbox.gitlab.git import Commit, Repository
from wardbook.sandbox.house import house, instant, moment, records, stamp
from wardbook.sandbox.seed import DEVELOPER
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
        "state": "active",
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
        "open_issues_count": sum(
            issue["state"] == "opened" for issue in records().all("gitlab.issue", project["id"])
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
    return sum(not note["system"] for note in item_notes(kind, item_id))


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


def commit_bean(project: Body, commit: Commit) -> Body:
    """Return a commit as lists and branches show it."""
    return {
        "id": commit.sha,
        "short_id": commit.sha[:8],
        "created_at": commit.committed,
        "parent_ids": list(commit.parents),
        "title": commit.message.partition("\n")[0],
        "message": commit.message,
        "author_name": commit.author_name,
        "author_email": commit.author_email,
        "authored_date": commit.authored,
        "committer_name": commit.committer_name,
        "committer_email": commit.committer_email,
        "committed_date": commit.committed,
        "trailers": {},
        "extended_trailers": {},
        "web_url": f"{project_url(project)}/-/commit/{commit.sha}",
    }


def commit_detail_bean(project: Body, store: Repository, commit: Commit) -> Body:
    """Return a commit with its numbers and pipeline."""
    added, deleted = store.numbers(commit.sha)
    pipelines = [
        p for p in records().all("gitlab.pipeline", project["id"]) if p["sha"] == commit.sha
    ]
    return {
        **commit_bean(project, commit),
        "stats": {"additions": added, "deletions": deleted, "total": added + deleted},
        "status": pipelines[-1]["status"] if pipelines else None,
        "project_id": project["id"],
        "last_pipeline": pipeline_bean(project, pipelines[-1]) if pipelines else None,
    }


def branch_bean(project: Body, store: Repository, name: str, sha: str) -> Body:
    """Return a branch."""
    default = name == project["default_branch"]
    trunk = store.branch(project["default_branch"])
    return {
        "name": name,
        "commit": commit_bean(project, store.commit(sha)),
        "merged": not default and bool(trunk) and store.is_ancestor(sha, trunk or ""),
        "protected": default,
        "developers_can_push": False,
        "developers_can_merge": False,
        "can_push": may_push(project, name),
        "default": default,
        "web_url": f"{project_url(project)}/-/tree/{quote(name)}",
    }


def merge_request_bean(project: Body, request_: Body) -> Body:
    """Return a merge request."""
    store = repository(project)
    assignees = user_beans(request_["assignees"])
    refs = diff_refs(request_, store)
    merged = request_["state"] == "merged"
    conflicts = bool(
        request_["state"] == "opened"
        and refs["head_sha"]
        and refs["target_sha"]
        and store.conflicts(refs["target_sha"], refs["head_sha"])
    )
    draft = is_draft(request_["title"])
    status = "not_open" if request_["state"] != "opened" else "mergeable"
    if status == "mergeable":
        status = "draft_status" if draft else "conflict" if conflicts else status
    return {
        "id": request_["id"],
        "iid": request_["iid"],
        "project_id": project["id"],
        "title": request_["title"],
        "description": request_["description"],
        "state": request_["state"],
        "created_at": request_["created_at"],
        "updated_at": request_["updated_at"],
        "merged_by": user_bean(request_["merged_by"]),
        "merge_user": user_bean(request_["merged_by"]),
        "merged_at": request_["merged_at"],
        "closed_by": user_bean(request_["closed_by"]),
        "closed_at": request_["closed_at"],
        "target_branch": request_["target_branch"],
        "source_branch": request_["source_branch"],
        "user_notes_count": count_user_notes("gitlab.mr", request_["id"]),
        "upvotes": 0,
        "downvotes": 0,
        "author": user_bean(request_["author"]),
        "assignees": assignees,
        "assignee": assignees[0] if assignees else None,
        "reviewers": user_beans(request_["reviewers"]),
        "source_project_id": project["id"],
        "target_project_id": project["id"],
        "labels": request_["labels"],
        "draft": draft,
        "imported": False,
        "imported_from": "none",
        "work_in_progress": draft,
        "milestone": None,
        "merge_when_pipeline_succeeds": False,
        "merge_status": "cannot_be_merged" if conflicts else "can_be_merged",
        "detailed_merge_status": status,
        "merge_after": None,
        "sha": refs["head_sha"],
        "merge_commit_sha": request_["merge_commit_sha"],
        "squash_commit_sha": request_["squash_commit_sha"],
        "discussion_locked": None,
        "should_remove_source_branch": request_["should_remove_source_branch"],
        "force_remove_source_branch": request_["remove_source_branch"],
        "prepared_at": request_["created_at"],
        "reference": f"!{request_['iid']}",
        "references": references(project, f"!{request_['iid']}"),
        "web_url": f"{project_url(project)}/-/merge_requests/{request_['iid']}",
        "time_stats": time_stats(request_),
        "squash": request_["squash"],
        "squash_on_merge": request_["squash"],
        "task_completion_status": tasks(request_["description"]),
        "has_conflicts": conflicts,
        "blocking_discussions_resolved": True,
        "approvals_before_merge": None,
        "subscribed": True,
        "changes_count": None,
        "latest_build_started_at": None,
        "latest_build_finished_at": None,
        "first_deployed_to_production_at": None,
        "pipeline": None,
        "head_pipeline": head_pipeline(project, refs["head_sha"]),
        "diff_refs": {k: refs[k] for k in ("base_sha", "head_sha", "start_sha")},
        "merge_error": None,
        "rebase_in_progress": False,
        "diverged_commits_count": 0,
        "first_contribution": False,
        "user": {"can_merge": not merged and may_push(project, request_["target_branch"])},
    }


def head_pipeline(project: Body, sha: str | None) -> Body | None:
    """Return the newest pipeline of a commit."""
    found = [p for p in records().all("gitlab.pipeline", project["id"]) if p["sha"] == sha]
    return pipeline_bean(project, found[-1]) if found else None


def pipeline_bean(project: Body, pipeline: Body) -> Body:
    """Return a pipeline as lists show it."""
    return {
        "id": pipeline["id"],
        "iid": pipeline["iid"],
        "project_id": project["id"],
        "sha": pipeline["sha"],
        "ref": pipeline["ref"],
        "status": pipeline["status"],
        "source": pipeline["source"],
        "created_at": pipeline["created_at"],
        "updated_at": pipeline["updated_at"],
        "web_url": f"{project_url(project)}/-/pipelines/{pipeline['id']}",
    }


def diff_refs(request_: Body, store: Repository) -> dict[str, Any]:
    """Return the commits between which a merge request's changes lie.

    While it is open they follow the branches; afterwards they are those of the end.
    """
    if request_["state"] == "merged" or request_["frozen"]:
        return dict(request_["frozen"])
    head = store.branch(request_["source_branch"]) or request_["last_head"]
    target = store.branch(request_["target_branch"])
    base = store.merge_base(head, target) if head and target else None
    return {"base_sha": base, "head_sha": head, "start_sha": target, "target_sha": target}


def is_draft(title: str) -> bool:
    """Tell whether a title marks a draft."""
    return title.lower().startswith(("draft:", "[draft]", "(draft)"))


def visible(project: Body, issues: list[Body]) -> list[Body]:
    """Return the issues that the asking account sees."""
    return [issue for issue in issues if may_see(project, issue)]


def touched(item: Body) -> Body:
    """Mark an issue or merge request as changed now."""
    item["updated_at"] = instant()
    return item


def api_time(text: str) -> str:
    """Return any ISO 8601 time as GitLab writes it."""
    return stamp(moment(text))


def is_developer(project: Body) -> bool:
    """Tell whether the asking account may write to the project."""
    return level(project, asker()) >= DEVELOPER
