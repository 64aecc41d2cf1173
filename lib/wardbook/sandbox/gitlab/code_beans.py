"""What GitLab's answers about code are made of: commits, branches, merge requests, pipelines."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from wardbook.sandbox.gitlab.access import may_push, repository
from wardbook.sandbox.gitlab.beans import (
    count_user_notes,
    project_url,
    references,
    tasks,
    time_stats,
    user_bean,
    user_beans,
)
from wardbook.sandbox.gitlab.git import Commit, Repository
from wardbook.sandbox.house import records
from wardbook.sandbox.store import Body


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
