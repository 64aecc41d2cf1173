"""What a rounded number betrays: every count is enumerated."""

from __future__ import annotations

from collections import defaultdict

import pytest

from tests.sample_outputs import policy
from wardbook.disclosure.policy import Policy, publish_count

COUNTS = range(61)


def counts_behind(by: Policy) -> dict[int | None, set[int]]:
    """For each number that may be published, the counts that a reader must think possible."""
    behind: dict[int | None, set[int]] = defaultdict(set)
    for count in COUNTS:
        behind[publish_count(count, by)].add(count)
    return behind


@pytest.mark.parametrize("name", ["fr-hospital", "opensafely-like", "acro-default"])
def test_no_published_number_betrays_a_count(name: str) -> None:
    by = policy(name)
    behind = counts_behind(by)
    last = max(number for number in behind if number is not None)
    del behind[last]  # its class goes on beyond the counts that are enumerated
    for number, counts in behind.items():
        if number is None:
            assert counts - {0} == set(range(1, by.redact_up_to + 1))
        elif number == 0:
            assert counts == {0}
            assert by.zeros != "held"
        else:
            assert len(counts) == by.rounding_base
            assert min(counts) >= by.minimum_count


def test_a_french_ten_is_never_published_and_fifteen_stands_for_five_counts() -> None:
    behind = counts_behind(policy())
    assert 10 not in behind
    assert behind[15] == {13, 14, 15, 16, 17}
    assert behind[None] == set(range(1, 13))


def test_with_the_minimum_alone_a_ten_would_betray_eleven_or_twelve() -> None:
    betrayed = counts_behind(policy(redact_up_to=10))[10]
    assert betrayed == {11, 12}


def test_rounding_twice_changes_nothing() -> None:
    for count in COUNTS:
        published = publish_count(count, policy())
        assert published is None or publish_count(published, policy()) == published
