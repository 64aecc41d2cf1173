"""Everything that may have happened to a deliverable, and what `verify` calls it.

`python -m tests.tamperings` prints the table: each tampering, on a fresh copy, and what was found.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.tamper_deeds import (
    DECOMPOSED,
    Deed,
    altered_older,
    capitals,
    change,
    deny_previous,
    exchange,
    exchange_two,
    expired,
    flip,
    flip_in,
    for_another,
    fork,
    huge,
    in_sealed,
    link,
    repeat_subject,
    replace_by,
    revoked,
    signed,
    signed_after_expiry,
    signed_by_eve,
    unsigned,
    weak_digest,
    with_her_key_beside,
    with_receipts_of_another,
    without_the_middle,
)
from tests.tamper_world import ACCENTED, NOW, World, workshop
from wardbook.seal import SealProblem, trace, verify


@dataclass(frozen=True)
class Tampering:
    """What is done, what `verify` must call it, and whether the history is asked for as well."""

    what: str
    found: str
    do: Deed
    history: bool = False


TAMPERINGS = (
    Tampering("one bit of the page", "file_changed", flip("index.html")),
    Tampering("one bit of a table", "file_changed", flip("table.csv", position=3)),
    Tampering("one bit of a figure", "file_changed", flip("figures/curve.svg", position=2)),
    Tampering("one bit of a name with an accent", "file_changed", flip(ACCENTED, position=0)),
    Tampering("one bit of the crate", "file_changed", flip("ro-crate-metadata.json")),
    Tampering("one bit of the receipt", "signature_bad", flip("receipt.json", position=99)),
    Tampering(
        "one bit of the signature", "signature_malformed", flip("receipt.json.asc", position=90)
    ),
    Tampering("a file cut short", "file_changed", change("table.csv", lambda p: os.truncate(p, 3))),
    Tampering(
        "a line added to a table",
        "file_changed",
        change("table.csv", lambda p: p.write_bytes(p.read_bytes() + b"x;1\n")),
    ),
    Tampering("a file emptied", "file_changed", change("table.csv", lambda p: p.write_bytes(b""))),
    Tampering("two files exchanged", "file_changed", exchange_two),
    Tampering("a file added", "file_extra", change("more.html", lambda p: p.write_text("x"))),
    Tampering(
        "a hidden file added",
        "file_extra",
        change("figures/.htaccess", lambda p: p.write_text("x")),
    ),
    Tampering("an empty folder added", "file_extra", change("extra", Path.mkdir)),
    Tampering(
        "a second receipt added below",
        "file_extra",
        change("figures/receipt.json", lambda p: p.write_text("{}")),
    ),
    Tampering("a file removed", "file_missing", change("table.csv", Path.unlink)),
    Tampering("a folder removed", "file_missing", change("figures", shutil.rmtree)),
    Tampering("the receipt removed", "no_receipt", change("receipt.json", Path.unlink)),
    Tampering(
        "the signature removed", "signature_missing", change("receipt.json.asc", Path.unlink)
    ),
    Tampering(
        "a file renamed",
        "file_extra",
        change("table.csv", lambda p: p.rename(p.with_name("tables.csv"))),
    ),
    Tampering(
        "a name's capitals changed",
        "file_extra",
        change("table.csv", lambda p: p.rename(p.with_name("Table.csv"))),
    ),
    Tampering(
        "a name in Unicode's other form",
        "file_extra",
        change(ACCENTED, lambda p: p.rename(p.parent.parent / DECOMPOSED)),
    ),
    Tampering(
        "a letter that only looks the same",
        "file_extra",
        change("table.csv", lambda p: p.rename(p.with_name("t\u0430ble.csv"))),
    ),
    Tampering(
        "a name that reads backwards",
        "file_extra",
        change("fig\u202egnp.exe", lambda p: p.write_text("x")),
    ),
    Tampering(
        "a name that is no UTF-8",
        "file_extra",
        change(os.fsdecode(b"\xff.csv"), lambda p: p.write_text("x")),
    ),
    Tampering("a link in a file's place", "file_not_regular", change("table.csv", link)),
    Tampering("a link in a folder's place", "file_not_regular", change("figures", link)),
    Tampering("a link in the receipt's place", "file_not_regular", change("receipt.json", link)),
    Tampering(
        "a link in the signature's place", "file_not_regular", change("receipt.json.asc", link)
    ),
    Tampering(
        "a pipe in a file's place",
        "file_not_regular",
        change("table.csv", lambda p: (p.unlink(), os.mkfifo(p))),
    ),
    Tampering("a file of 64 GB in a file's place", "file_changed", huge("table.csv")),
    Tampering("a receipt of 64 GB", "receipt_too_large", huge("receipt.json")),
    Tampering("a signature of 64 GB", "receipt_too_large", huge("receipt.json.asc")),
    Tampering("the receipts of two requests exchanged", "signature_bad", exchange("receipt.json")),
    Tampering(
        "receipts and signatures exchanged",
        "edition_differs",
        exchange("receipt.json", "receipt.json.asc"),
    ),
    Tampering(
        "another request's deliverable in its place",
        "edition_differs",
        replace_by(lambda w: w.other),
    ),
    Tampering("the older edition in its place", "edition_differs", replace_by(lambda w: w.old)),
    Tampering(
        "the older edition's receipt in its place",
        "edition_differs",
        replace_by(lambda w: w.old, "receipt.json", "receipt.json.asc"),
    ),
    Tampering(
        "the older edition's signature",
        "signature_bad",
        replace_by(lambda w: w.old, "receipt.json.asc"),
    ),
    Tampering(
        "signed by a key with the unit's name",
        "signature_other_key",
        signed_by_eve(give_her_key=False),
    ),
    Tampering(
        "the same, that key given as the unit's", "key_not_given", signed_by_eve(give_her_key=True)
    ),
    Tampering("the same, both keys given", "signature_other_key", with_her_key_beside),
    Tampering("signed by a key that has expired", "signature_key_expired", expired),
    Tampering("signed after the key had expired", "signature_after_expiry", signed_after_expiry),
    Tampering("signed by a key that was revoked", "signature_key_revoked", revoked),
    Tampering("signed over a weak digest", "signature_malformed", weak_digest),
    Tampering("a digest in capitals", "signature_bad", lambda w: capitals(w, sign=False)),
    Tampering(
        "a digest in capitals, signed", "receipt_malformed", lambda w: capitals(w, sign=True)
    ),
    Tampering("a JSON key twice", "signature_bad", unsigned('{"_type"', '{"_type":"x","_type"')),
    Tampering(
        "a JSON key twice, signed",
        "receipt_malformed",
        signed('{"_type"', '{"_type":"x","_type"'),
    ),
    Tampering("a subject twice, signed", "receipt_malformed", lambda w: w.sign(repeat_subject)),
    Tampering(
        "an unknown field, signed",
        "receipt_malformed",
        signed('"channel":', '"boss":"Eve","channel":'),
    ),
    Tampering(
        "a space in the JSON, signed", "receipt_malformed", signed('"channel":', '"channel": ')
    ),
    Tampering(
        "a byte order mark, signed",
        "receipt_malformed",
        lambda w: w.sign(lambda d: b"\xef\xbb\xbf" + d),
    ),
    Tampering(
        "an escaped letter, signed", "receipt_malformed", signed("résumé", "r\\u00e9sum\\u00e9")
    ),
    Tampering(
        "a hundred thousand brackets, signed",
        "receipt_malformed",
        lambda w: w.sign(lambda _: b"[" * 100_000),
    ),
    Tampering(
        "a name that leads out, signed", "name_unsafe", signed('"table.csv"', '"../table.csv"')
    ),
    Tampering(
        "a name in Unicode's other form, signed", "name_unsafe", signed(ACCENTED, DECOMPOSED)
    ),
    Tampering(
        "two names that differ in capitals, signed",
        "receipt_malformed",
        signed('"table.csv"', '"INDEX.html"'),
    ),
    Tampering(
        "an approver added", "signature_bad", unsigned('"by":"d.approver"', '"by":"d.approver2"')
    ),
    Tampering(
        "a verdict changed", "signature_bad", unsigned('"verdict":"pass"', '"verdict":"hold"')
    ),
    Tampering("the edition before denied", "signature_bad", deny_previous),
    Tampering(
        "the receipt of a sealed file removed",
        "no_receipt",
        in_sealed(lambda _, s: s.with_name(f"{s.name}.receipt.json").unlink()),
    ),
    Tampering("one bit of a sealed file", "file_changed", in_sealed(lambda _, s: flip_in(s, -5))),
    Tampering(
        "another sealed file in its place",
        "file_changed",
        in_sealed(lambda _, s: shutil.copyfile(s.with_name("other.csv.gpg"), s)),
    ),
    Tampering(
        "another sealed file's receipt", "receipt_of_another", in_sealed(with_receipts_of_another)
    ),
    Tampering("a sealed file behind a link", "file_not_regular", in_sealed(lambda _, s: link(s))),
    Tampering(
        "sealed to another than the receipt says", "recipients_differ", in_sealed(for_another)
    ),
    Tampering("an older edition altered", "file_changed", altered_older, history=True),
    Tampering("an edition between two removed", "history_gap", without_the_middle, history=True),
    Tampering("two editions after the same one", "history_fork", fork, history=True),
)


def find(world: World, target: Path, *, history: bool) -> str:
    """Return what `verify` (or `trace`) calls a deliverable; empty where it is good."""
    given = {"public_key": world.public, "fingerprint": world.signer, "now": NOW} | world.given
    try:
        if not history:
            verify(target, **given)
            return ""
        problems = trace(target, **given).problems
    except SealProblem as problem:
        return problem.code
    return problems[0].code if problems else ""


def survey(fresh: Callable[[], World]) -> Iterator[tuple[Tampering, str]]:
    """Yield each tampering with what was found, empty where it went unnoticed."""
    for one in TAMPERINGS:
        world = fresh()
        yield one, find(world, one.do(world), history=one.history)
        shutil.rmtree(world.folder)


def find_in_untouched(world: World) -> Mapping[str, str]:
    """Return what is found where nothing was done: the control."""
    return {
        "new": find(world, world.new, history=False),
        "old": find(world, world.old, history=False),
        "other": find(world, world.other, history=False),
        "sealed": find(world, world.sealed, history=False),
        "history": find(world, world.new, history=True),
        "signed anew": find(world, world.sign(lambda data: data), history=False),
        "signed by plain gpg": find(world, world.sign_with(world.raw.make_key("U")), history=False),
    }


def main() -> int:
    """Print the table; the exit status says whether anything went unnoticed or was misnamed."""
    with workshop() as fresh:
        control = [name for name, found in find_in_untouched(fresh()).items() if found]
        rows = list(survey(fresh))
    for number, (one, found) in enumerate(rows, 1):
        mark = "" if found == one.found else f"   EXPECTED {one.found}"
        print(f"{number:3}  {one.what:<45} {found or 'UNNOTICED'}{mark}")
    unnoticed = sum(not found for _, found in rows)
    print(f"{len(rows)} tamperings, {unnoticed} unnoticed; untouched ones refused: {len(control)}")
    return 1 if control or any(found != one.found for one, found in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
