"""What may go out: looked at before the commit, and at the push as GitLab's server would."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.bench.clone import last_seen, refuse, say_of, tell
from pipelines.bench.desk import BenchRefusal, Place
from pipelines.bench.git import Git, Trouble
from pipelines.bench.spots import Spot, tell_spots
from pipelines.bench.tree import NOTEBOOK, Change, Person, strip
from pipelines.house import House
from wardbook.errors import Refusal
from wardbook.identifiers.allowances import FILE, Allowances, read_allowances
from wardbook.identifiers.commits import Objection, check_files, check_message
from wardbook.identifiers.committing import check_range
from wardbook.identifiers.context import Context
from wardbook.identifiers.repository import Range, Repository
from wardbook.identifiers.site import SitePatterns


class SubmitRefused(BenchRefusal):
    """Something must not be committed: `places` say where, and nothing left the desk."""

    def __init__(self, message: str, places: tuple[Spot, ...]) -> None:
        super().__init__(message)
        self.places = places


def require_fit(
    house: House, place: Place, changes: Sequence[Change], message: str, by: Person
) -> None:
    """Look at what is about to be committed, before there is a commit.

    Raises:
        SubmitRefused: something of it must not be committed.
    """
    allowances, context = _known(house, place)
    kept = [(one.path, one.content) for one in changes if one.content is not None]
    found = {
        *check_files(kept, allowances, context),
        *check_message(say_of(place, "the_message"), message, context),
        *check_message(say_of(place, "the_author"), by.name, context),
    }
    found |= {
        Objection(path, 1, "notebook_broken")
        for path, content in kept
        if path.endswith(NOTEBOOK) and strip(content) != content
    }
    if found:
        places = tell_spots(found, dict(kept), place.desk.language)
        raise SubmitRefused(say_of(place, "refused", count=len(places)), places)


def require_fit_to_push(house: House, place: Place, git: Git, head: str) -> None:
    """Look at every commit that GitLab has not: somebody may have made one by hand.

    Raises:
        SubmitRefused: something in their history must not be pushed.
    """
    allowances, context = _known(house, place)
    seen = last_seen(git, place)
    wanted = Range((f"{seen}..{head}",), names=(f"refs/heads/{place.branch}",))
    try:
        found = check_range(Repository(place.clone), wanted, allowances, context)
    except Refusal as failed:
        raise tell(place, Trouble.FAILED, str(failed)) from None
    if found:
        # Lines of commits are none of the files that lie here, so no cell is named.
        places = tell_spots(found, {}, place.desk.language)
        since = git.answer("merge-base", seen, head)[:12]
        text = say_of(place, "refused_by_hand", count=len(places), since=since)
        raise SubmitRefused(text, places)


def _known(house: House, place: Place) -> tuple[Allowances, Context]:
    # What is to be pushed cannot allow itself: what GitLab has counts.
    git = Git(place.clone, "", "")
    content = Repository(place.clone).read(f"{last_seen(git, place)}:{FILE}")
    try:
        allowances = read_allowances(content)
    except Refusal:
        raise refuse(place, "allowances_broken", file=FILE) from None
    site = house.settings.identifiers
    patterns = SitePatterns(site.ipp, site.nda)
    return allowances, Context(site=patterns, shown=frozenset(site.shown))
