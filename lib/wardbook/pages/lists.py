"""The lists of results: all of them, by service, by topic, by month; a hundred reports a page."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from wardbook.pages.address import slug_of
from wardbook.pages.results import Result
from wardbook.report.voice import Voice

PER_PAGE = 100
Kind = Literal["all", "service", "topic", "month"]


@dataclass(frozen=True)
class ListPage:
    """One page of a list; `file` is relative to the site's root."""

    number: int
    file: str
    results: tuple[Result, ...]


@dataclass(frozen=True)
class ResultList:
    """Reports that belong together, newest first; `folder` is relative to the site's root."""

    kind: Kind
    label: str
    folder: str
    results: tuple[Result, ...]

    @property
    def pages(self) -> tuple[ListPage, ...]:
        """The pages of the list; one at least."""
        starts = range(0, max(1, len(self.results)), PER_PAGE)
        return tuple(
            ListPage(
                number, f"{self.folder}/{_file_name(number)}", self.results[at : at + PER_PAGE]
            )
            for number, at in enumerate(starts, 1)
        )

    @property
    def feed(self) -> str | None:
        """Where its feed stands; a month gets none, since nothing is added to it any more."""
        return None if self.kind == "month" else f"{self.folder}/feed.atom"


@dataclass(frozen=True)
class Lists:
    """Every list of the site; services and topics by name, months newest first."""

    all: ResultList
    services: tuple[ResultList, ...]
    topics: tuple[ResultList, ...]
    months: tuple[ResultList, ...]

    def __iter__(self) -> Iterator[ResultList]:
        return iter((self.all, *self.services, *self.topics, *self.months))


def arrange_lists(results: Iterable[Result], topics: Mapping[str, str], voice: Voice) -> Lists:
    """Return the lists of these results, which come newest first.

    Args:
        topics: titles of the templates by name; a template that is gone is called as its newest
            report calls it.
    """
    every = tuple(results)
    services = _group(every, lambda one: one.latest.card.service)
    by_topic = _group(every, lambda one: one.latest.card.template)
    months = _group(every, lambda one: one.latest.card.started.isoformat()[:7])
    slugs = _slugs(services)
    return Lists(
        ResultList("all", "", "results", every),
        _by_label(
            ResultList("service", name, f"results/service/{slugs[name]}", some)
            for name, some in services.items()
        ),
        _by_label(
            ResultList(
                "topic",
                topics.get(name, some[0].latest.card.topic),
                f"results/topic/{slug_of(name)}",
                some,
            )
            for name, some in by_topic.items()
        ),
        tuple(
            ResultList("month", voice.month(month), f"results/month/{month}", months[month])
            for month in sorted(months, reverse=True)
        ),
    )


def _group(
    results: Iterable[Result], key: Callable[[Result], str]
) -> Mapping[str, tuple[Result, ...]]:
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(key(result), []).append(result)
    return {name: tuple(some) for name, some in groups.items()}


def _slugs(names: Iterable[str]) -> Mapping[str, str]:
    """Return a slug for each name; those that share one get a part of their digest too."""
    plain = {name: slug_of(name) for name in names}
    shared = {slug for slug, times in Counter(plain.values()).items() if times > 1}
    return {
        name: f"{slug}-{hashlib.sha256(name.encode()).hexdigest()[:6]}" if slug in shared else slug
        for name, slug in plain.items()
    }


def _by_label(lists: Iterable[ResultList]) -> tuple[ResultList, ...]:
    return tuple(sorted(lists, key=lambda one: (slug_of(one.label), one.folder)))


def _file_name(number: int) -> str:
    return "index.html" if number == 1 else f"page-{number}.html"
