"""What the sandbox's GitLab does: quick actions, labels, access, commits, merges, git, hooks."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gitlab
import pytest
import requests

from tests.contract.world import Receiver, gitlab_as, receiving, serve_world
from wardbook.sandbox import Sandbox

sandbox = serve_world()


@pytest.fixture(scope="module")
def project(sandbox: Sandbox) -> Any:
    return gitlab_as(sandbox, "bot").projects.get("uad/requests")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def project_as(sandbox: Sandbox, username: str) -> Any:
    return gitlab_as(sandbox, username).projects.get("uad/requests")


def refused(call: Any, status: int) -> Any:
    """Return the message that a call was refused with."""
    with pytest.raises(gitlab.GitlabError) as caught:
        call()
    assert caught.value.response_code == status
    return caught.value.error_message


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("avant\n/close\naprès", "avant\naprès"),
        ("/CLOSE", ""),
        ("/clo\rse", ""),
        ("avant\r\n/close\r\naprès", "avant\naprès"),
        ("```\ncode\n```\n/close", "```\ncode\n```"),
        ("/close   ", ""),
        ("  avant \n/close\n\n", "  avant"),
    ],
)
def test_quick_actions_are_done(project: Any, text: str, left: str) -> None:
    issue = project.issues.create({"title": "t", "description": text})
    assert (issue.state, issue.description) == ("closed", left)
    other = project.issues.create({"title": "t", "description": "d"})
    other.notes.create({"body": text})
    again = project.issues.get(other.iid)
    assert again.state == "closed"
    people = [note.body for note in again.notes.list(get_all=True) if not note.system]
    assert people == ([left] if left else [])
    updated = project.issues.create({"title": "t", "description": "d"})
    updated.description = text
    updated.save()
    assert (updated.state, updated.description) == ("closed", left)


@pytest.mark.parametrize(
    "text",
    [
        "> /close",
        "    /close",
        " /close",
        "- /close",
        "voir /close",
        "/closed",
        "/ close",
        "`/close`",
        "```\n/close\n```",
        ">>>\n/close\n>>>",
        "<pre>\n/close\n</pre>",
        "a\u2028/close",
        "\u200b/close",
    ],
)
def test_what_is_no_quick_action_stays(project: Any, text: str) -> None:
    issue = project.issues.create({"title": "t", "description": text})
    issue.notes.create({"body": text})
    again = project.issues.get(issue.iid)
    assert (again.state, again.description) == ("opened", text)
    assert text in [note.body for note in again.notes.list(get_all=True)]


def test_quick_actions_change_what_they_name(sandbox: Sandbox, project: Any) -> None:
    project.issues.create({"title": "t", "labels": ["known", "state::new"]})
    text = '/label ~known ~"state::new" ~unknown\n/confidential\n/assign @ana\n/due 2026-12-31\n'
    issue = project.issues.create({"title": "t", "description": text + "/title autre\nreste"})
    assert (issue.title, issue.description) == ("autre", "reste")
    assert (issue.labels, issue.confidential) == (["known", "state::new"], True)
    assert (issue.assignees[0]["username"], issue.due_date) == ("ana", "2026-12-31")
    answer = requests.post(
        f"{sandbox.gitlab_url}/api/v4/projects/{project.id}/issues/{issue.iid}/notes",
        headers={"PRIVATE-TOKEN": "bot-token"},
        json={"body": "/unlabel ~known"},
        timeout=30,
    )
    assert (answer.status_code, "id" in answer.json()) == (202, False)
    assert project.issues.get(issue.iid).labels == ["state::new"]


def test_guests_cannot_act_through_text(sandbox: Sandbox, project: Any) -> None:
    issue = project.issues.create({"title": "t", "description": "d"})
    project_as(sandbox, "marie").issues.get(issue.iid).notes.create({"body": "a\n/close\nb"})
    again = project.issues.get(issue.iid)
    assert again.state == "opened"
    assert [n.body for n in again.notes.list(get_all=True) if not n.system] == ["a\nb"]


def test_mentions_become_todos(sandbox: Sandbox, project: Any) -> None:
    issue = project.issues.create(
        {"title": "t", "description": "pour @ana et @zoe", "confidential": True}
    )
    todos = gitlab_as(sandbox, "ana").http_get("/todos")
    assert [t["target"]["iid"] for t in todos] == [issue.iid]
    assert gitlab_as(sandbox, "zoe").http_get("/todos") == []


def test_scoped_labels_exclude_each_other(project: Any) -> None:
    issue = project.issues.create({"title": "t", "labels": ["state::a", "state::b", "x,y"]})
    assert issue.labels == ["state::b", "x", "y"]
    issue.manager.update(issue.iid, {"add_labels": "state::c", "remove_labels": "x"})
    again = project.issues.get(issue.iid)
    assert again.labels == ["state::c", "y"]
    events = [(e.action, e.label["name"]) for e in again.resourcelabelevents.list(get_all=True)]
    assert ("add", "state::c") in events
    assert ("remove", "state::b") in events
    assert any(n.system and "label" in n.body for n in again.notes.list(get_all=True))


def test_filters_and_order(project: Any) -> None:
    one = project.issues.create({"title": "f1", "labels": ["filtre", "n::1"]})
    two = project.issues.create({"title": "f2", "labels": ["filtre"], "confidential": True})

    def found(**filters: Any) -> list[int]:
        return [i.iid for i in project.issues.list(get_all=True, labels="filtre", **filters)]

    assert found() == [two.iid, one.iid]
    assert found(sort="asc", order_by="updated_at") == [one.iid, two.iid]
    assert found(confidential=True) == [two.iid]
    assert found(updated_after=two.updated_at) == [two.iid]
    assert found(iids=[one.iid]) == [one.iid]
    assert found(search="f2") == [two.iid]
    assert found(author_username="bot") == [two.iid, one.iid]
    assert found(author_username="ana") == found(assignee_username="ana") == []
    one.state_event = "close"
    one.save()
    assert (found(state="closed"), found(state="opened")) == ([one.iid], [two.iid])
    both = project.issues.list(get_all=True, labels=["filtre", "n::1"])
    assert [i.iid for i in both] == [one.iid]


def test_confidential_issues_are_hidden(sandbox: Sandbox, project: Any) -> None:
    hidden = project.issues.create({"title": "h", "confidential": True})
    marie = project_as(sandbox, "marie")
    assert refused(lambda: marie.issues.get(hidden.iid), 404) == "404 Not found"
    assert hidden.iid not in [i.iid for i in marie.issues.list(get_all=True)]
    own = marie.issues.create({"title": "mienne", "confidential": True, "labels": ["x"]})
    assert marie.issues.get(own.iid).labels == []
    shown = project.issues.create({"title": "s"})
    shown.notes.create({"body": "interne", "internal": True})
    assert marie.issues.get(shown.iid).notes.list(get_all=True) == []
    refused(lambda: marie.files.get("README.md", ref="main"), 403)
    refused(lambda: project_as(sandbox, "zoe"), 404)
    page = f"{sandbox.gitlab_url}/uad/requests/-/issues/{hidden.iid}"
    assert requests.get(page, cookies={"persona": "marie"}, timeout=30).status_code == 404
    assert requests.get(page, cookies={"persona": "ana"}, timeout=30).status_code == 200


def test_only_owners_choose_numbers_and_dates(sandbox: Sandbox, project: Any) -> None:
    wanted = {"title": "t", "iid": 900, "created_at": "2020-01-01T00:00:00Z"}
    developer = project_as(sandbox, "ana").issues.create(wanted)
    assert developer.iid != 900
    assert not developer.created_at.startswith("2020")
    owner = project.issues.create(wanted)
    assert (owner.iid, owner.created_at) == (900, "2020-01-01T00:00:00.000Z")
    assert project.issues.create({"title": "t"}).iid == 901


def test_error_bodies(sandbox: Sandbox, project: Any) -> None:
    api = f"{sandbox.gitlab_url}/api/v4"
    signed = {"PRIVATE-TOKEN": "bot-token"}

    def get(path: str, **headers: str) -> tuple[int, Any]:
        answer = requests.get(f"{api}{path}", headers=headers, timeout=30)
        return answer.status_code, answer.json()

    assert get("/user") == (401, {"message": "401 Unauthorized"})
    assert get("/user", **{"PRIVATE-TOKEN": "no"}) == (401, {"message": "401 Unauthorized"})
    assert get("/user", Authorization="Bearer bot-token")[0] == 200
    assert get("/projects/99", **signed) == (404, {"message": "404 Project Not Found"})
    assert get("/nothing", **signed) == (404, {"error": "404 Not Found"})
    assert refused(lambda: project.issues.create({"title": " "}), 400) == {
        "title": ["can't be blank"]
    }
    answer = requests.post(f"{api}/projects/{project.id}/issues", headers=signed, timeout=30)
    assert (answer.status_code, answer.json()) == (400, {"error": "title is missing"})
    assert refused(lambda: project.branches.get("no"), 404) == "404 Branch Not Found"
    assert refused(lambda: project.files.get("no", ref="main"), 404) == "404 File Not Found"


def test_pages(sandbox: Sandbox, project: Any) -> None:
    for number in range(21):
        project.labels.create({"name": f"page {number}", "color": "#123456"})
    api = f"{sandbox.gitlab_url}/api/v4/projects/uad%2Frequests/labels"
    first = requests.get(api, headers={"PRIVATE-TOKEN": "bot-token"}, timeout=30)
    assert len(first.json()) == 20
    assert (first.headers["X-Next-Page"], first.headers["X-Per-Page"]) == ("2", "20")
    second = requests.get(
        first.links["next"]["url"], headers={"PRIVATE-TOKEN": "bot-token"}, timeout=30
    )
    assert second.json()[0] not in first.json()
    assert len(project.labels.list(iterator=True)) == int(first.headers["X-Total"])
    big = requests.get(f"{api}?per_page=500", headers={"PRIVATE-TOKEN": "bot-token"}, timeout=30)
    assert big.headers["X-Per-Page"] == "100"


def commit(project: Any, branch: str, *actions: dict[str, Any], **more: Any) -> Any:
    return project.commits.create(
        {"branch": branch, "commit_message": "m", "actions": list(actions), **more}
    )


def action(kind: str, path: str, content: str | None = "x", **more: Any) -> dict[str, Any]:
    return {"action": kind, "file_path": path, "content": content, **more}


def test_commits(project: Any) -> None:
    commit(
        project, "c", action("create", "a/b c é.txt"), action("create", "d"), start_branch="main"
    )
    done = commit(
        project, "c", action("update", "d", "eA==", encoding="base64"),
        action("move", "e", None, previous_path="a/b c é.txt"), author_name="Ana <x>\n",
    )  # fmt: skip
    assert (done.stats["total"], done.author_name) == (2, "Ana x")
    names = [e["path"] for e in project.repository_tree(ref="c", recursive=True, get_all=True)]
    assert names == ["README.md", "d", "e"]
    assert project.files.raw("d", ref="c") == b"x"
    commit(project, "c", action("delete", "d", None))
    refused(lambda: project.files.get("d", ref="c"), 404)
    # `path=` would be python-gitlab's own argument: the address of the list.
    history = project.commits.list(query_parameters={"ref_name": "c", "path": "e"}, get_all=True)
    assert [c.id for c in history] == [done.id]
    diffs = project.repository_compare("main", "c")["diffs"]
    assert [(d["new_path"], d["new_file"]) for d in diffs] == [("e", True)]


@pytest.mark.parametrize(
    "wrong",
    [
        action("create", "README.md"),
        action("update", "no"),
        action("delete", "no"),
        action("move", "y", previous_path="no"),
        action("create", "../x"),
        action("create", "/x"),
        action("create", ".git/config"),
        action("create", "a//b"),
        action("create", ""),
        action("grow", "x"),
        action("update", "README.md", last_commit_id="0" * 40),
    ],
)
def test_wrong_commits_change_nothing(project: Any, wrong: dict[str, Any]) -> None:
    head = project.branches.get("main").commit["id"]
    refused(lambda: commit(project, "main", action("create", "other"), wrong), 400)
    assert project.branches.get("main").commit["id"] == head


def test_protected_branch(sandbox: Sandbox) -> None:
    ana = project_as(sandbox, "ana")
    message = refused(lambda: commit(ana, "main", action("create", "z")), 403)
    assert "not allowed to push" in message


@pytest.mark.parametrize("name", ["-x", "a..b", "a b", "a\n", "/a", "a.lock", "HEAD", "a:b", ""])
def test_wrong_branch_names(project: Any, name: str) -> None:
    refused(lambda: project.branches.create({"branch": name, "ref": "main"}), 400)


def open_request(project: Any, branch: str, title: str = "t", **more: Any) -> Any:
    commit(project, branch, action("create", f"{branch}.txt", f"{branch}\n"), start_branch="main")
    return project.mergerequests.create(
        {"source_branch": branch, "target_branch": "main", "title": title, **more}
    )


def test_merge_request_from_open_to_merged(sandbox: Sandbox, project: Any) -> None:
    request = open_request(project, "mr1")
    again = {"source_branch": "mr1", "target_branch": "main", "title": "t"}
    assert "!" in refused(lambda: project.mergerequests.create(again), 409)[0]
    found = project.mergerequests.list(source_branch="mr1", state="opened", get_all=True)
    assert [r.iid for r in found] == [request.iid]
    refused(request.approve, 401)  # its author may not
    ana = project_as(sandbox, "ana").mergerequests.get(request.iid)
    refused(lambda: ana.approve(sha="0" * 40), 409)
    ana.approve(sha=request.sha)
    assert [a["user"]["username"] for a in request.approvals.get().approved_by] == ["ana"]
    assert "approved this merge request" in [n.body for n in request.notes.list(get_all=True)]
    commit(project, "mr1", action("create", "later"))
    assert request.approvals.get().approved_by == []
    refused(lambda: request.merge(sha=request.sha), 409)
    refused(ana.merge, 401)  # a developer may not push to main
    fresh = project.mergerequests.get(request.iid)
    fresh.merge(sha=fresh.sha, should_remove_source_branch=True)
    assert (fresh.state, len(fresh.changes()["changes"])) == ("merged", 2)
    assert project.files.raw("later", ref="main") == b"x"
    refused(lambda: project.branches.get("mr1"), 404)
    refused(fresh.merge, 405)


def test_required_approvals_hold_the_merge(sandbox: Sandbox, project: Any) -> None:
    request = open_request(project, "mr2")
    project.manager.update(project.id, {"approvals_required": 1})
    try:
        refused(request.merge, 405)
        project_as(sandbox, "ana").mergerequests.get(request.iid).approve()
        request.merge()
        assert request.state == "merged"
    finally:
        project.manager.update(project.id, {"approvals_required": 0})


def test_conflicts_and_drafts_do_not_merge(project: Any) -> None:
    draft = open_request(project, "mr3", "Draft: t")
    refused(draft.merge, 405)
    clash = open_request(project, "mr4")
    commit(project, "main", action("create", "mr4.txt", "autre\n"))
    again = project.mergerequests.get(clash.iid)
    assert (again.has_conflicts, again.detailed_merge_status) == (True, "conflict")
    refused(again.merge, 422)


def test_a_merge_interrupted_after_git_is_not_made_twice(sandbox: Sandbox, project: Any) -> None:
    request = open_request(project, "mr5")
    repository = sandbox.directory / "repositories" / f"{project.id}.git"
    git = ["git", "--git-dir", str(repository)]
    main, head = project.branches.get("main").commit["id"], request.sha
    tree = subprocess.check_output([*git, "merge-tree", "--write-tree", main, head], text=True)
    who = {f"GIT_{r}_{n}": "x" for r in ("AUTHOR", "COMMITTER") for n in ("NAME", "EMAIL")}
    made = subprocess.check_output(
        [*git, "commit-tree", tree.strip(), "-p", main, "-p", head, "-m", "m"], env=who, text=True
    ).strip()
    subprocess.check_call([*git, "update-ref", "refs/heads/main", made, main])
    request.merge()
    assert request.state == "merged"
    assert project.branches.get("main").commit["id"] == made


def git(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", "-c", "user.name=x", "-c", "user.email=x@x", *arguments],
        cwd=cwd, capture_output=True, text=True, check=False,
        env={"PATH": "/usr/bin:/bin", "GIT_TERMINAL_PROMPT": "0", "HOME": str(cwd)},
    )  # fmt: skip


def with_token(url: str, token: str) -> str:
    return url.replace("http://", f"http://x:{token}@")


def test_git_clones_fetches_and_pushes(sandbox: Sandbox, project: Any, tmp_path: Path) -> None:
    url = project.http_url_to_repo
    assert git("clone", "-q", url, "none", cwd=tmp_path).returncode != 0
    for token in ("marie-token", "zoe-token", "wrong"):
        assert git("clone", "-q", with_token(url, token), "no", cwd=tmp_path).returncode != 0
    done = git("clone", "-q", with_token(url, "bot-token"), "clone", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    clone = tmp_path / "clone"
    assert (
        git("rev-parse", "HEAD", cwd=clone).stdout.strip()
        == (project.branches.get("main").commit["id"])
    )
    (clone / "big.bin").write_bytes(bytes(range(256)) * 20_000)
    git("checkout", "-qb", "pushed", cwd=clone)
    git("add", ".", cwd=clone)
    git("commit", "-qm", "big", cwd=clone)
    pushed = git("push", "-q", "origin", "pushed", cwd=clone)
    assert pushed.returncode == 0, pushed.stderr
    assert project.branches.get("pushed").commit["title"] == "big"
    as_developer = with_token(url, "ana-token")
    done = git("push", "-q", as_developer, "pushed:other", cwd=clone)
    assert done.returncode == 0, done.stderr
    refused = git("push", "-q", as_developer, "pushed:main", cwd=clone)
    assert refused.returncode != 0
    assert "not allowed to push code to protected branches" in refused.stderr
    assert project.branches.get("main").commit["title"] != "big"
    as_maintainer = git("push", "-q", "origin", "pushed:main", cwd=clone)
    assert as_maintainer.returncode == 0, as_maintainer.stderr


def test_a_push_shows_on_the_merge_request_of_its_branch(
    sandbox: Sandbox, project: Any, tmp_path: Path
) -> None:
    clone = tmp_path / "clone"
    git("clone", "-q", with_token(project.http_url_to_repo, "bot-token"), "clone", cwd=tmp_path)
    git("checkout", "-qb", "work", cwd=clone)
    git("commit", "-q", "--allow-empty", "-m", "first", cwd=clone)
    assert git("push", "-q", "origin", "work", cwd=clone).returncode == 0
    asked = {"source_branch": "work", "target_branch": "main", "title": "Work"}
    opened = project.mergerequests.create(asked)
    git("commit", "-q", "--allow-empty", "-m", "second", cwd=clone)
    assert git("push", "-q", "origin", "work", cwd=clone).returncode == 0
    seen = project.mergerequests.get(opened.iid)
    head = git("rev-parse", "HEAD", cwd=clone).stdout.strip()
    assert (seen.sha, opened.sha == head) == (head, False)
    assert [note.body for note in seen.notes.list(get_all=True)] == ["added 1 commit"]
    hook = next((sandbox.directory / "repositories").glob(f"{project.id}.git")) / "hooks"
    (hook / "pre-receive").write_text("#!/bin/sh\necho no figures >&2\nexit 1\n")
    (hook / "pre-receive").chmod(0o755)
    git("commit", "-q", "--allow-empty", "-m", "third", cwd=clone)
    refused = git("push", "-q", "origin", "work", cwd=clone)
    assert refused.returncode != 0
    assert "no figures" in refused.stderr
    assert project.branches.get("work").commit["id"] == head


def test_gpg_keys(sandbox: Sandbox) -> None:
    ana = gitlab_as(sandbox, "ana")
    ana.auth()
    armour = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nx\n-----END PGP PUBLIC KEY BLOCK-----"
    ana.user.gpgkeys.create({"key": armour})
    bot = gitlab_as(sandbox, "bot")
    user = bot.users.list(username="ana")[0]
    assert [k.key for k in user.gpgkeys.list(get_all=True)] == [armour]
    assert "begins with" in refused(lambda: ana.user.gpgkeys.create({"key": "x"}), 400)["key"][0]
    refused(lambda: ana.user.gpgkeys.create({"key": armour}), 400)


def test_packages_keep_every_byte(project: Any, tmp_path: Path) -> None:
    file = tmp_path / "r.zip"
    file.write_bytes(bytes(range(256)) * 1000)
    project.generic_packages.upload("report", "2026-11", "r.zip", path=str(file))
    assert project.generic_packages.download("report", "2026-11", "r.zip") == file.read_bytes()
    refused(lambda: project.generic_packages.download("report", "2026-12", "r.zip"), 404)


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "confidential"),
    [
        ("issue-event", False),
        ("confidential-issue-event", True),
        ("comment-issue-event", False),
        ("confidential-comment-event", True),
    ],
)
def test_webhook_bodies_have_the_recorded_keys(
    shared: Path, sandbox: Sandbox, receiver: Receiver, name: str, confidential: bool
) -> None:
    folder = "contracts/gitlab/go-playground+webhooks/testdata/gitlab"
    recorded = json.loads((shared / folder / f"{name}.json").read_text())
    project = gitlab_as(sandbox, "bot").projects.get("uad/site")
    issue = project.issues.create({"title": "t", "confidential": confidential})
    kind = "note" if "comment" in name else "issues"
    event = f"confidential_{kind}_events" if confidential else f"{kind}_events"
    hook = project.hooks.create({"url": receiver[0], event: True, "token": "secret"})
    if kind == "note":
        issue.notes.create({"body": "x"})
    else:
        issue.title = "autre"
        issue.save()
    headers, body = receiver[1].get(timeout=30)
    hook.delete()
    assert headers["X-Gitlab-Token"] == "secret"
    payload = json.loads(body)
    # Keys of 2017 that GitLab no longer sends.
    old = {"branch_name", "position", "original_position", "change_position", "assignee",
           "assignees", "milestone_id"}  # fmt: skip
    assert set(recorded) - old <= set(payload)
    for key in ("user", "project", "repository", "object_attributes", "issue"):
        if key in recorded:
            assert set(recorded[key]) - old <= set(payload[key]), key


def test_hooks_get_only_what_they_asked_for(sandbox: Sandbox, receiver: Receiver) -> None:
    project = gitlab_as(sandbox, "bot").projects.get("uad/site")
    hook = project.hooks.create({"url": receiver[0], "issues_events": True})
    project.issues.create({"title": "cachée", "confidential": True})
    project.issues.create({"title": "ouverte"})
    payload = json.loads(receiver[1].get(timeout=30)[1])
    hook.delete()
    assert payload["object_attributes"]["title"] == "ouverte"
    assert receiver[1].empty()
