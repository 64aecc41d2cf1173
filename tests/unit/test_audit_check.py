"""Whatever is done to a log is found, and an untouched one passes."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from tests.audit_tampering import KINDS, head_of, make_log, places, unfound
from wardbook.audit.check import Flaw, find_flaws, read_export
from wardbook.audit.entry import Entry, Fact, MalformedEntry, link_entry
from wardbook.audit.told import tell_details

LONG = os.environ.get("WARDBOOK_CRASH") == "long"


@pytest.mark.parametrize("size", [2, 3, 10_000])
def test_an_untouched_log_passes(size: int) -> None:
    log = make_log(size)
    lines = (entry.to_line() + "\n" for entry in log)
    assert list(find_flaws(read_export(lines), [head_of(log), head_of(log[:2])])) == []


def test_every_tampering_is_found() -> None:
    tried, missed = unfound(make_log(10_000 if LONG else 300), 50 if LONG else 10, seed=2)
    assert tried > len(KINDS) * 10
    assert missed == []


@pytest.mark.timeout(3600 if LONG else 300)
def test_each_kind_is_found_in_a_long_log() -> None:
    tried, missed = unfound(make_log(10_000 if LONG else 1500), 200 if LONG else 0, seed=3)
    assert tried > len(KINDS)
    assert missed == []


def test_without_a_head_only_a_whole_rewrite_or_a_cut_end_goes_unseen() -> None:
    """What heads are for: the chain alone proves less."""
    import random

    log = make_log(60)
    chance = random.Random(4)
    unseen = {
        name
        for name, tamper in KINDS.items()
        for at in places(len(log), 5, chance)
        if (changed := tamper(log, at, chance)) and changed != log
        if not list(find_flaws(changed))
    }
    assert unseen == {
        *("edit, all made anew", "delete, all made anew", "swap, all made anew"),
        *("insert, all made anew", "truncate", "truncate, then go on", "begin anew"),
        *("delete", "edit, own digest made anew"),  # of the last entry
    }


def test_each_flaw_names_its_place() -> None:
    log = make_log(6)
    edited = [*log[:3], replace(log[3], actor="x"), *log[4:]]
    assert [(f.flaw, f.place) for f in find_flaws(edited)] == [(Flaw.CONTENT, 4)]
    deleted = [*log[:3], *log[4:]]
    assert [(f.flaw, f.place) for f in find_flaws(deleted)] == [
        (Flaw.SEQUENCE, 4),
        (Flaw.CHAIN, 4),
    ]
    assert [f.flaw for f in find_flaws(log[:3], [head_of(log)])] == [Flaw.TRUNCATED]
    assert [f.flaw for f in find_flaws([], [head_of(log)])] == [Flaw.EMPTY, Flaw.OTHER_LOG]


def test_a_line_of_an_export_is_one_form_to_the_byte() -> None:
    line = make_log(3)[2].to_line()
    assert Entry.from_line(line).to_line() == line
    for other in (
        f" {line}",
        line.replace('":"', '": "', 1),
        line.replace("{", '{"at":"x",', 1),
        line.replace('"sequence":3', '"sequence":3.0'),
        line.replace('"sequence":3', '"sequence":true'),
        line.replace('"sequence":3', '"sequence":"3"'),
        "[]",
        "null",
        "",
    ):
        with pytest.raises(MalformedEntry):
            Entry.from_line(other)


def test_what_people_wrote_and_what_was_read_is_withheld() -> None:
    told = tell_details(
        {
            "run": "data-1-abc",
            "seconds": 1.5,
            "verdicts": ["pass", "hold"],
            "reason": "Mme Durand, 1 85 05 78 006 084 36",
            "verdict of Durand": 1,
            "commit": "not hex",
            "approvals": ["rfaure", "Jean Durand"],
            "rows": "185057800608436",
        }
    )
    assert told == {
        "run": "data-1-abc",
        "seconds": 1.5,
        "verdicts": ["pass", "hold"],
        "withheld": ["approvals", "commit", "reason", "rows", "verdictofurand"],
    }


def test_keys_and_reviews_are_told_by_accounts_fingerprints_and_codes() -> None:
    safe = {
        "person": "712020:0a1b-2c",
        "proposed": ["AB12" * 10],
        "ground": "key_proposed",
        "reviewers": ["rfaure", "dpo"],
        "causes": [1, 4],
        "needed": 2,
        "obstacles": ["parameters"],
        "standing": "DATA-12",
        "outcome": "different",
    }
    assert tell_details(safe) == safe
    unsafe = {
        "person": "Jean Durand",
        "proposed": ["Durand"],
        "ground": "Mme Durand",
        "reviewers": "Jean Durand",
        "causes": [1, "Durand"],
        "needed": "Durand",
        "obstacles": ["née le 3 mai"],
        "standing": "Mme Durand",
        "outcome": "3 personnes",
    }
    assert tell_details(unsafe) == {"withheld": sorted(unsafe)}


def test_an_entry_is_one_printable_line_of_bounded_length() -> None:
    hostile = "x\n\x1b[31m\u202e\ud800\x00" + "y" * 500
    entry = link_entry(Fact("now", hostile, hostile, hostile), None)
    for text, longest in ((entry.actor, 120), (entry.event, 64), (entry.request, 64)):
        assert text.isprintable()
        assert len(text) == longest
    assert Entry.from_line(entry.to_line()) == entry
