"""Numbers of persons and of those who treat them: NIR, INS, IPP, NDA, RPPS, ADELI, FINESS, phones.

A number may be written in one piece or in groups, and be read through a scan's confusions; it never
begins or ends inside a longer one. One regular expression finds runs of digits, each run is cut at
its groups, and what a cut says decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from wardbook.identifiers.checksums import has_luhn_digit, has_nir_key, is_nir
from wardbook.identifiers.finding import Certainty, Finding, Kind
from wardbook.identifiers.reading import CONFUSED, DIGITISH, SEPARATORS, Reading
from wardbook.identifiers.site import SitePatterns

SHORTEST, LONGEST = 8, 16

RUN = re.compile(
    rf"[0-9OoIlSZB](?<![0-9].)"
    rf"(?:(?P<plain>"
    r"(?<=[12])[09][0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?)?(?![0-9.-])"
    rf"|(?<=[1-9])[0-9]{{0,9}}\.[0-9]{{1,20}}(?![{DIGITISH}]|[{SEPARATORS}]{{1,3}}[{DIGITISH}])"
    rf"|(?<=0)\.[0-9]{{1,20}}(?![{DIGITISH}])"
    rf")|(?:[{SEPARATORS}]{{0,3}}[{DIGITISH}]){{{SHORTEST},}})"
)
"""A run of digits; `plain` are days, times and decimal numbers, which are passed over."""

GROUP = re.compile(f"[{DIGITISH}]+")
INS_OID = re.compile(r"1\.2\.250\.1\.213\.1\.4\.(?:8|9|1[01])(?![0-9])|ins[-_ ]?(?:nir|nia|c)\b")
SPLIT_NIR = re.compile(
    r"[123478](?:(?P<c>\"?[;,\t|]\"?)[0-9]{2}(?P=c)[0-9]{2}(?P=c)(?:2[AB]|[0-9]{2})"
    r"(?P=c)[0-9]{3}(?P=c)[0-9]{3}(?P=c)[0-9]{2}"
    r"|[0-9]{4}(?:[0-9]{2}|2[AB])[0-9]{6}\"?[;,\t|]\"?[0-9]{2})(?![0-9A-Za-z]|[.,][0-9])"
)
"""A NIR that stands in seven columns of a row, or in one with its key in the next.

Each part is as wide as it should be: one row of counts in some thousands has the right key.
"""

NIR_CUE = re.compile(
    r"\bnirp?p?\b|\bnir_|\bnss\b|\bn[°o] ?ss|s[ée]cu|\binsee\b|\bins\b|\bins_|matricule"
)
IPP_CUE = re.compile(
    r"\bipp|(?<![a-z])ipp|\bnip\b|identifiant|n[°o] ?(?:de )?patient|patient_?id|dossier|\bpid\b"
)
NDA_CUE = re.compile(r"\bnda|(?<![a-z])nda|venue|s[ée]jour|dossier|\biep\b|passage|admission")
RPPS_CUE = re.compile(r"rpps")
ADELI_CUE = re.compile(r"adeli")
FINESS_CUE = re.compile(r"finess|\bfiness")
PHONE_CUE = re.compile(
    r"t[ée]l|phone|portable|mobile|gsm|\bfax|☎|📞|appel|joindre|joignable|contact|num[ée]ro"
)
GLUED = re.compile(
    r"(?:nirp?p?|nss|ss|ins|ipp|nip|nda|iep|rpps|adeli|finess|t[ée]l|phone|fax|mobile)\Z", re.I
)
USUAL_GROUPS = ((10,), (1, 3, 3, 3), (2, 2, 2, 2, 2), (2, 4, 4), (3, 3, 4), (5, 5), (9,), (3, 3, 3))
"""How a patient's number is parted where no word names it."""
ABROAD = ("33", "262", "590", "594", "596")
SHORT_ABROAD = {"508": 6, "681": 6, "687": 6, "689": 8}
DECIMAL = re.compile(r"[0-9][.,]\Z")
ISO_DAY = re.compile(r"(?:19|20)[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])(?![0-9-])")
DAY = re.compile(
    r"(?:0[1-9]|[12][0-9]|3[01])[-./](?:0[1-9]|1[0-2])[-./](?:19|20)?[0-9]{2}(?![0-9])"
)


@dataclass(frozen=True, repr=False)
class _Cut:
    """Some groups of a run, read as one number."""

    reading: Reading
    start: int
    end: int
    number: str
    groups: tuple[int, ...]
    before: bool
    after: bool

    @property
    def raw(self) -> str:
        return self.reading.text[self.start : self.end]

    def told(self, cue: re.Pattern[str]) -> bool:
        return self.reading.is_told(cue, self.start)


Judge = Callable[[_Cut], tuple[Kind, Certainty] | None]


def find_numbers(reading: Reading, site: SitePatterns) -> Iterator[Finding]:
    """Yield the numbers of patients and of those who treat them."""
    judges = _choose_judges(site)
    for run in RUN.finditer(reading.text):
        if run["plain"] is None:
            yield from _search_run(reading, run.start(), run.end(), judges)
    for match in SPLIT_NIR.finditer(reading.text):
        if match.start() and reading.text[match.start() - 1].isalnum():
            continue
        if has_nir_key(re.sub(r"[\";,\t|]", "", match.group())):
            yield Finding(match.start(), match.end(), Kind.NIR, Certainty.CERTAIN)
    yield from _find_by_pattern(reading, site)


def _search_run(
    reading: Reading, start: int, end: int, judges: dict[int, tuple[Judge, ...]]
) -> Iterator[Finding]:
    """Yield the numbers in a run; a day in ISO's form cuts it."""
    text = reading.text
    for day in ISO_DAY.finditer(text, start, end):
        yield from _search_groups(reading, start, day.start(), judges)
        start = day.end()
    yield from _search_groups(reading, start, end, judges)


def _search_groups(
    reading: Reading, start: int, end: int, judges: dict[int, tuple[Judge, ...]]
) -> Iterator[Finding]:
    text = reading.text
    if end - start <= SHORTEST:
        return
    groups = [match.span() for match in GROUP.finditer(text, start, end)]
    first = 0
    while first < len(groups):
        found = None
        if _begins(text, groups[first][0]):
            found = _judge_from(reading, groups, first, judges)
        if found is None:
            first += 1
        else:
            last, finding = found
            yield finding
            first = last + 1


def _stands_alone(text: str, start: int, end: int) -> bool:
    if DECIMAL.search(text, max(0, start - 2), start):
        return False
    if end < len(text) and text[end].isalnum():
        return False
    glued = start > 0 and text[start - 1].isalnum()
    return not glued or GLUED.search(text, max(0, start - 8), start) is not None


def _begins(text: str, start: int) -> bool:
    if start == 0 or not text[start - 1].isalnum():
        return text[start].isdigit() or not text[start : start + 2].isalpha()
    return GLUED.search(text, max(0, start - 8), start) is not None


def _judge_from(
    reading: Reading,
    groups: list[tuple[int, int]],
    first: int,
    judges: dict[int, tuple[Judge, ...]],
) -> tuple[int, Finding] | None:
    """Return the longest number that begins with a group, and its last group."""
    text, start = reading.text, groups[first][0]
    best = None
    raw, sizes = "", []
    for last in range(first, len(groups)):
        here, end = groups[last]
        raw += text[here:end]
        sizes.append(end - here)
        if len(raw) > LONGEST:
            break
        wanted = judges.get(len(raw))
        if not wanted or (end < len(text) and text[end].isalnum()):
            continue
        number = _read_digits(raw)
        if number is None or text.count("\n", start, end) > 1:
            continue
        cut = _Cut(reading, start, end, number, tuple(sizes), first > 0, last + 1 < len(groups))
        for judge in wanted:
            told = judge(cut)
            if told is not None:
                best = last, Finding(start, end, *told)
                break
    return best


def _read_digits(raw: str) -> str | None:
    """Return the digits meant; Corsica's letter stays; None where too few are real digits."""
    if raw.isdigit():
        return raw if raw.isascii() else None
    corsican = raw[5:7].translate(CONFUSED)[:1] == "2" and raw[6:7] in ("A", "B")
    number = raw.translate(CONFUSED)
    if corsican:
        number = number[:6] + raw[6] + number[7:]
    odd = sum(1 for letter in raw if not letter.isdigit())
    return number if odd * 3 <= len(raw) else None


def _choose_judges(site: SitePatterns) -> dict[int, tuple[Judge, ...]]:
    ipp, nda = re.compile(site.ipp), re.compile(site.nda)

    def judge_ipp(cut: _Cut) -> tuple[Kind, Certainty] | None:
        if ipp.fullmatch(cut.number) is None:
            return None
        told = cut.told(IPP_CUE)
        if not told and cut.groups not in USUAL_GROUPS:
            return None
        return Kind.IPP, Certainty.CERTAIN if told else Certainty.LIKELY

    def judge_nda(cut: _Cut) -> tuple[Kind, Certainty] | None:
        if nda.fullmatch(cut.number) is None or not cut.told(NDA_CUE):
            return None
        return Kind.NDA, Certainty.CERTAIN

    return {
        size: tuple(judge for judge in (by_size.get(size), judge_ipp, judge_nda) if judge)
        for by_size in [_JUDGES]
        for size in range(SHORTEST + 1, LONGEST)
    }


def _judge_nir(cut: _Cut) -> tuple[Kind, Certainty] | None:
    told = cut.told(NIR_CUE)
    if len(cut.number) == 15:
        # A scan takes 8 for B and B for 8: the key says which was meant.
        other = cut.number[5:7].translate(str.maketrans("8B", "B8"))
        swapped = cut.number[:5] + other + cut.number[7:]
        if has_nir_key(cut.number) or has_nir_key(swapped):
            return _as_ins(cut), Certainty.CERTAIN
        if told and is_nir(cut.number[:13]):
            return _as_ins(cut), Certainty.LIKELY
        return None
    if not is_nir(cut.number):
        return None
    grouped = cut.groups in ((1, 2, 2, 2, 3, 3), (1, 4, 2, 3, 3), (1, 2, 2, 2, 6), (3, 2, 2, 3, 3))
    if told or grouped or "A" in cut.number or "B" in cut.number:
        return _as_ins(cut), Certainty.CERTAIN if told else Certainty.LIKELY
    return None


def _as_ins(cut: _Cut) -> Kind:
    around = cut.reading.lower[max(0, cut.start - 60) : cut.end + 60]
    return Kind.INS if INS_OID.search(around) else Kind.NIR


def _judge_eleven(cut: _Cut) -> tuple[Kind, Certainty] | None:
    if not cut.number.isdigit():
        return None
    if _is_abroad(cut):
        return Kind.PHONE, Certainty.CERTAIN
    told = cut.told(RPPS_CUE)
    if not has_luhn_digit(cut.number):
        return (Kind.RPPS, Certainty.LIKELY) if told else None
    if told:
        return Kind.RPPS, Certainty.CERTAIN
    plain = cut.number.startswith("10") and len(cut.groups) == 1
    return (Kind.RPPS, Certainty.LIKELY) if plain else None


def _judge_ten(cut: _Cut) -> tuple[Kind, Certainty] | None:
    number = cut.number
    if _is_abroad(cut):
        return Kind.PHONE, Certainty.CERTAIN
    if number[0] != "0" or number[1] == "0" or not number.isdigit() or number == "0123456789":
        return None
    if cut.told(PHONE_CUE):
        return Kind.PHONE, Certainty.CERTAIN
    pairs_go_on = set(cut.groups) == {2} and (cut.before or cut.after)
    looks_like_day = set(cut.groups) != {2} and DAY.match(cut.raw)
    if looks_like_day or pairs_go_on or cut.groups.count(1) > 2:
        return None
    return Kind.PHONE, Certainty.LIKELY


def _judge_nine(cut: _Cut) -> tuple[Kind, Certainty] | None:
    number = cut.number
    if _is_abroad(cut):
        return Kind.PHONE, Certainty.CERTAIN
    # One number of nine digits in a hundred looks like a FINESS: the word has to be there.
    if cut.told(FINESS_CUE):
        right = has_luhn_digit(number) if number.isdigit() else True
        return Kind.FINESS, Certainty.CERTAIN if right else Certainty.LIKELY
    if cut.told(ADELI_CUE):
        return Kind.ADELI, Certainty.CERTAIN
    if cut.told(PHONE_CUE) and number[0] in "67" and cut.reading.column:
        return Kind.PHONE, Certainty.LIKELY  # a spreadsheet took the 0 away
    return None


def _judge_abroad(cut: _Cut) -> tuple[Kind, Certainty] | None:
    return (Kind.PHONE, Certainty.CERTAIN) if _is_abroad(cut) else None


def _is_abroad(cut: _Cut) -> bool:
    """Whether this is a French number as it is dialled from abroad: +33, 0033, overseas codes."""
    number = cut.number
    before = cut.reading.text[max(0, cut.start - 2) : cut.start].rstrip(" (")
    if before.endswith("+"):
        pass
    elif number.startswith("00"):
        number = number[2:]
    else:
        return False
    for code in ABROAD:
        rest = number.removeprefix(code)
        if rest != number and re.fullmatch("0?[1-9][0-9]{8}", rest):
            return True
    return any(number[:3] == code and len(number) - 3 == n for code, n in SHORT_ABROAD.items())


_JUDGES: dict[int, Judge] = {
    9: _judge_nine,
    10: _judge_ten,
    11: _judge_eleven,
    12: _judge_abroad,
    13: lambda cut: _judge_abroad(cut) or _judge_nir(cut),
    14: _judge_abroad,
    15: _judge_nir,
}


def _find_by_pattern(reading: Reading, site: SitePatterns) -> Iterator[Finding]:
    """Yield what has the site's own form as it stands, letters and all."""
    for kind, pattern, cue in (
        (Kind.IPP, site.ipp, IPP_CUE),
        (Kind.NDA, site.nda, NDA_CUE),
    ):
        # Without anything before the pattern, its first letter is looked for at a memory's speed.
        for match in re.finditer(pattern, reading.text):
            if not _stands_alone(reading.text, match.start(), match.end()):
                continue
            told = reading.is_told(cue, match.start())
            certainty = Certainty.CERTAIN if told else Certainty.LIKELY
            yield Finding(match.start(), match.end(), kind, certainty)
