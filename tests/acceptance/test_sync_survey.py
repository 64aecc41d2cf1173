"""The survey of both sides finds what is there twice, and what is missing."""

from random import Random

import pytest

from pipelines.demo.world import BOT
from pipelines.story import sync
from tests.sync_hands import Hands
from tests.sync_survey import survey
from tests.sync_world import sync_world

pytestmark = pytest.mark.xdist_group("sync_points")


@pytest.fixture(scope="module")
def settled(tmp_path_factory):
    """Two linked tickets with a comment, a note and an attachment, synchronised in peace."""
    with sync_world(tmp_path_factory.mktemp("survey") / "world") as world:
        yield world


@pytest.fixture
def hands(settled):
    settled.reset()
    settled.clock.advance(900)
    hands = Hands(settled, Random(0))
    key, other = hands.file(), hands.file()
    hands.comment(key)
    hands.attach(key)
    hands.link(key, other)
    with settled.house(workers=1) as house:
        sync(house)
        hands.note(1)
        sync(house)
        settled.clock.advance(70)
        sync(house)
    assert survey(settled) == []
    yield hands
    hands.close()


def our_notes(hands):
    notes = hands.gitlab("GET", "issues/1/notes?sort=asc")
    return [note for note in notes if note["author"]["username"] == BOT and not note["system"]]


def our_comments(hands):
    comments = hands.jira("GET", "issue/DATA-1/comment")["comments"]
    return [comment for comment in comments if comment["author"]["name"] == BOT]


def double_issue(hands):
    issue = hands.gitlab("GET", "issues/1")
    wanted = {name: issue[name] for name in ("title", "description", "confidential")}
    hands.gitlab("POST", "issues", wanted, person=BOT)


def double_notes(hands):
    for note in our_notes(hands):
        hands.gitlab("POST", "issues/1/notes", {"body": note["body"]}, person=BOT)


def double_comments(hands):
    for comment in our_comments(hands):
        hands.jira("POST", "issue/DATA-1/comment", {"body": comment["body"]}, person=BOT)


def lose_notes(hands):
    for note in our_notes(hands):
        hands.gitlab("DELETE", f"issues/1/notes/{note['id']}", person=BOT)


def lose_comments(hands):
    for comment in our_comments(hands):
        hands.jira("DELETE", f"issue/DATA-1/comment/{comment['id']}", person=BOT)


def lose_link(hands):
    (link,) = hands.gitlab("GET", "issues/1/links")
    hands.gitlab("DELETE", f"issues/1/links/{link['issue_link_id']}", person=BOT)


def lose_upload(hands):
    (upload,) = hands.gitlab("GET", "uploads", person=BOT)
    hands.gitlab("DELETE", f"uploads/{upload['id']}", person=BOT)


def lose_branch(hands):
    hands.gitlab("DELETE", "repository/branches/request%2FDATA-1", person=BOT)


DAMAGES = {
    double_issue: {"duplicate: DATA-1: issue: 2 times, not 1"},
    double_notes: {
        "duplicate: DATA-1: copy of comment 10000: 2 times, not 1",
        "duplicate: DATA-1: note of attachment 10000: 2 times, not 1",
    },
    double_comments: {"duplicate: DATA-1: copy of note"},
    lose_notes: {
        "loss: DATA-1: copy of comment 10000: 0 times, not 1",
        "loss: DATA-1: note of attachment 10000: 0 times, not 1",
    },
    lose_comments: {"loss: DATA-1: copy of note"},
    lose_link: {"loss: links: of issues"},
    lose_upload: {"loss: uploads: attachment 10000: 0 times, not 1"},
    lose_branch: {"loss: DATA-1: no branch"},
    lambda hands: hands.edit("DATA-1", {"summary": "Autre"}): {"loss: DATA-1: title"},
    lambda hands: hands.edit("DATA-1", {"labels": ["x"]}): {"loss: DATA-1: labels"},
    lambda hands: hands.edit("DATA-1", {"duedate": "2031-01-01"}): {"loss: DATA-1: due date"},
    lambda hands: hands.edit("DATA-1", {"description": "Autre"}): {"loss: DATA-1: the desc"},
    lambda hands: hands.assign_issue(1, "alopes"): {"loss: DATA-1: assignee"},
    lambda hands: hands.close_ticket("DATA-1"): {"loss: DATA-1: the issue is opened"},
    lambda hands: hands.delete_ticket("DATA-1"): {"loss: issue 1: its ticket is gone"},
    lambda hands: hands.delete_comment("DATA-1", "10000"): {
        "duplicate: DATA-1: the copy of comment 10000"
    },
    lambda hands: hands.edit_comment("DATA-1", "10000"): {"loss: DATA-1: the copy of comment"},
    lambda hands: hands.restrict_comment("DATA-1", "10000"): {
        "duplicate: DATA-1: the copy of comment 10000"
    },
    lambda hands: hands.detach(10000): {"duplicate: DATA-1: the note of attachment 10000"},
    lambda hands: hands.comment("DATA-1"): {"loss: DATA-1: copy of comment"},
}


@pytest.mark.parametrize("number", range(len(DAMAGES)))
def test_damage_is_found(settled, hands, number):
    damage, expected = list(DAMAGES.items())[number]
    damage(hands)
    found = [str(one) for one in survey(settled)]
    for start in expected:
        assert any(one.startswith(start) for one in found), found


def test_what_an_analyst_added_must_stay(settled, hands):
    hands.add_below(1)
    assert survey(settled, hands.kept) == []
    hands.kept[1].append("gone")
    assert [one.sort for one in survey(settled, hands.kept)] == ["loss"]
