"""What happens to issues in a GitLab that people use: uploads, links, notes, mentions, pages."""

from __future__ import annotations

import itertools
from typing import Any

import gitlab
import pytest
import requests

from tests.contract.world import SEED, gitlab_as, serve_world
from wardbook.sandbox import Account, GitLabProject, Sandbox, Seed

GONE = Account("gone", "Guy Parti", "gone@example.org", "gone-token", active=False)
PAID = GitLabProject("uad/paid", {"bot": 40, "ana": 30, "marie": 10}, tier="premium")
SMALL = GitLabProject("uad/small", {"bot": 40, "ana": 30, "gone": 30}, upload_limit=1000)
LIFE = Seed(
    accounts=[*SEED.accounts, GONE],
    jira_projects=SEED.jira_projects,
    gitlab_projects=[*SEED.gitlab_projects, PAID, SMALL],
)


sandbox = serve_world(LIFE)


@pytest.fixture(scope="module")
def project(sandbox: Sandbox) -> Any:
    return gitlab_as(sandbox, "bot").projects.get("uad/small")


def refused(call: Any, status: int) -> Any:
    with pytest.raises(gitlab.GitlabError) as caught:
        call()
    assert caught.value.response_code == status
    return caught.value.error_message


def test_uploads_are_listed_and_deleted_by_maintainers(sandbox: Sandbox, project: Any) -> None:
    api = f"/projects/{project.id}/uploads"
    bot, ana = gitlab_as(sandbox, "bot"), gitlab_as(sandbox, "ana")
    text = project.upload("note é (1).txt", filedata=b"texte")
    image = project.upload("figure.png", filedata=b"png")
    assert text["markdown"] == f"[note_é__1_.txt]({text['url']})"
    assert image["markdown"] == f"![figure]({image['url']})"
    listed = bot.http_list(api, get_all=True)
    assert [(u["filename"], u["size"]) for u in listed] == [
        ("figure.png", 3),
        ("note_é__1_.txt", 5),
    ]
    assert listed[0]["uploaded_by"]["username"] == "bot"
    refused(lambda: ana.http_list(api, get_all=True), 403)
    refused(lambda: ana.http_delete(f"/projects/{project.id}{image['url']}"), 403)
    assert ana.http_get(f"/projects/{project.id}{image['url']}", raw=True).content == b"png"
    bot.http_delete(f"/projects/{project.id}{image['url']}")
    refused(lambda: bot.http_delete(f"/projects/{project.id}{image['url']}"), 404)
    bot.http_delete(f"{api}/{text['id']}")
    assert bot.http_list(api, get_all=True) == []
    assert list((sandbox.directory / "uploads").iterdir()) == []


def test_uploads_have_a_limit(project: Any) -> None:
    project.upload("a", filedata=b"x" * 1000)
    refused(lambda: project.upload("a", filedata=b"x" * 1001), 413)


def link(source: Any, target: Any, **more: Any) -> Any:
    wanted = {"target_project_id": target.project_id, "target_issue_iid": target.iid, **more}
    return source.links.create(wanted)


def test_the_free_tier_relates_only(sandbox: Sandbox, project: Any) -> None:
    one, two = (project.issues.create({"title": str(n)}) for n in range(2))
    for kind in ("blocks", "is_blocked_by"):
        message = refused(lambda kind=kind: link(one, two, link_type=kind), 403)
        assert message == "Blocked issues not available for current license"
    link(one, two)
    assert refused(lambda: link(two, one), 409) == "Issue(s) already assigned"
    paid = gitlab_as(sandbox, "bot").projects.get("uad/paid")
    three, four = (paid.issues.create({"title": str(n)}) for n in range(2))
    link(three, four, link_type="blocks")
    assert [li.link_type for li in three.links.list(get_all=True)] == ["blocks"]
    assert [li.link_type for li in four.links.list(get_all=True)] == ["is_blocked_by"]
    link(one, three)
    assert {li.title for li in one.links.list(get_all=True)} == {"1", "0"}
    notes = [note.body for note in three.notes.list(get_all=True)]
    assert "marked this issue as related to uad/small#1" in notes


def test_notes_move_updated_at_once_a_minute(sandbox: Sandbox, project: Any) -> None:
    issue = project.issues.create({"title": "t"})
    created = issue.updated_at

    def updated() -> str:
        return str(project.issues.get(issue.iid).updated_at)

    first = issue.notes.create({"body": "tout de suite"})
    assert updated() == created
    sandbox.gitlab_skew_seconds = 61
    try:
        issue.notes.create({"body": "une minute après"})
        noted = updated()
        assert noted > created
        sandbox.gitlab_skew_seconds = 130
        first.body = "changée"
        first.save()
        edited = updated()
        assert edited > noted
        sandbox.gitlab_skew_seconds = 200
        first.delete()
        assert updated() == edited
        issue.title = "autre"
        issue.save()
        titled = updated()
        assert titled > edited
        issue.manager.update(issue.iid, {"title": "autre"})
        assert updated() == titled
        other = project.issues.create({"title": "u"})
        sandbox.gitlab_skew_seconds = 300
        link(issue, other)
        assert updated() > titled
    finally:
        sandbox.gitlab_skew_seconds = 0
    assert project.issues.get(issue.iid).user_notes_count == 1


def test_notes_are_changed_by_their_authors(sandbox: Sandbox, project: Any) -> None:
    issue = project.issues.create({"title": "t"})
    note = issue.notes.create({"body": "a"})
    ana = gitlab_as(sandbox, "ana").projects.get("uad/small").issues.get(issue.iid)
    theirs = ana.notes.create({"body": "b"})
    refused(lambda: ana.notes.update(note.id, {"body": "c"}), 403)
    refused(lambda: ana.notes.delete(note.id), 403)
    theirs.delete()
    for call in (ana.notes.get, ana.notes.delete, issue.notes.delete):
        refused(lambda call=call: call(theirs.id), 404)
    refused(lambda: issue.notes.update(99_999, {"body": "c"}), 404)
    refused(lambda: project.issues.get(99_999), 404)
    discussions = issue.discussions.list(get_all=True)
    assert [d.attributes["notes"][0]["body"] for d in discussions] == ["a"]


def todos(sandbox: Sandbox, username: str) -> list[int]:
    return [
        t["target"]["iid"] for t in gitlab_as(sandbox, username).http_list("/todos", get_all=True)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "`@ana`",
        "``@ana ` @ana``",
        "```\n@ana\n```",
        "~~~\n@ana\n~~~",
        "    @ana",
        "> ```\n> @ana\n> ```",
        ">     @ana",
        r"\@ana",
        r"\\\@ana",
        "a@ana.example",
        "<!-- @ana -->",
        "<pre>\n@ana\n</pre>",
        "[@ana](http://127.0.0.1/)",
        "@anaïs",
    ],
)
def test_code_and_escapes_mention_nobody(sandbox: Sandbox, project: Any, text: str) -> None:
    issue = project.issues.create({"title": "t", "description": text})
    issue.notes.create({"body": text})
    assert issue.iid not in todos(sandbox, "ana")


@pytest.mark.parametrize(
    "text",
    [
        "@ana",
        "> @ana",
        "- voir (@ana).",
        "**@ana**",
        r"\\@ana",
        "&#64;ana",
        "@ANA",
        "@all",
        "<div>\n@ana\n</div>",
        "`code` @ana `code`",
        "| a |\n|---|\n| @ana |",
    ],
)
def test_all_else_mentions(sandbox: Sandbox, project: Any, text: str) -> None:
    issue = project.issues.create({"title": "t", "description": text})
    assert issue.iid in todos(sandbox, "ana")


def test_assignees_that_are_not_there(sandbox: Sandbox, project: Any) -> None:
    bot = gitlab_as(sandbox, "bot")
    ids = {u.username: u.id for u in bot.users.list(get_all=True)}
    issue = project.issues.create({"title": "t", "assignee_ids": [ids["ana"], ids["bot"]]})
    assert [a["username"] for a in issue.assignees] == ["ana"]  # the free tier keeps one

    def assigned(*wanted: int) -> list[str]:
        issue.manager.update(issue.iid, {"assignee_ids": list(wanted)})
        return [a["username"] for a in project.issues.get(issue.iid).assignees]

    assert assigned(99_999) == assigned(ids["zoe"]) == ["ana"]
    assert assigned(99_999, ids["bot"]) == ["ana"]
    assert assigned(0) == assigned() == []
    assert project.issues.create({"title": "t", "assignee_ids": [99_999]}).assignees == []
    paid = bot.projects.get("uad/paid")
    both = paid.issues.create({"title": "t", "assignee_ids": [ids["ana"], 99_999, ids["bot"]]})
    assert [a["username"] for a in both.assignees] == ["ana", "bot"]
    hidden = {"title": "t", "confidential": True, "assignee_ids": [ids["marie"]]}
    assert paid.issues.create(hidden).assignees == []


def test_blocked_accounts(sandbox: Sandbox) -> None:
    bot = gitlab_as(sandbox, "bot")
    assert [u.state for u in bot.users.list(username="gone")] == ["blocked"]
    assert bot.users.list(username="gone", active=True, get_all=True) == []
    assert bot.users.list(username="absent", get_all=True) == []
    url = f"{sandbox.gitlab_url}/api/v4/user"
    answer = requests.get(url, headers={"PRIVATE-TOKEN": "gone-token"}, timeout=30)
    assert (answer.status_code, "blocked" in answer.json()["message"]) == (403, True)


def test_a_label_deleted_while_issues_bear_it(project: Any) -> None:
    issue = project.issues.create({"title": "t", "labels": ["state::new", "reste"]})
    project.labels.delete("state::new")
    assert project.issues.get(issue.iid).labels == ["reste"]
    refused(lambda: project.labels.get("state::new"), 404)
    issue.manager.update(issue.iid, {"add_labels": "state::run", "remove_labels": "state::new"})
    assert project.issues.get(issue.iid).labels == ["reste", "state::run"]


def test_lists_from_the_index_are_those_from_the_bodies(sandbox: Sandbox) -> None:
    project = gitlab_as(sandbox, "bot").projects.get("uad/site")
    sandbox.touch_seconds = 0
    issues = [project.issues.create({"title": str(number)}) for number in range(12)]
    for issue in issues[::3]:
        issue.notes.create({"body": "x"})
        issue.state_event = "close"
        issue.save()
    sandbox.touch_seconds = 60
    middle = project.issues.get(issues[6].iid).updated_at

    def found(**query: Any) -> tuple[list[int], int | None]:
        page = project.issues.list(iterator=True, per_page=5, **query)
        return [issue.iid for issue in page], page.total

    for order, sort, state, scope, bound in itertools.product(
        ("created_at", "updated_at"),
        ("asc", "desc"),
        ("all", "closed"),
        ("all", "created_by_me"),
        ({}, {"updated_after": middle}, {"updated_before": middle}, {"created_after": middle}),
    ):
        query = {"order_by": order, "sort": sort, "state": state, "scope": scope, **bound}
        # The author is one more filter than the index knows: the bodies are read.
        assert found(**query) == found(**query, author_username="bot")
    assert found(scope="assigned_to_me") == ([], 0)
    refused(lambda: found(scope="mine"), 400)
    refused(lambda: found(updated_after="hier"), 400)
    assert len(found(order_by="updated_at", updated_after=middle)[0]) < 12
