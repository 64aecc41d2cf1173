"""What requesters, and people who mean no good, put into the controls of a form."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from tests.sample_settings import make_settings
from wardbook.settings import Settings
from wardbook.template.spec import ParameterSpec, Template, TemplateSpec, load_catalogue

TODAY = date(2026, 3, 2)
TEXTS = (
    "", " ", "\t", "\u00a0", "\u3000", "\u200b", "\ufeff", "-", "—", "0", "a", "é", "e\u0301",
    "😀", "x" * 255, "x" * 256, "😀" * 200, "x" * 201, "\ud800",
    "a\udfffb", "\x00", "a\x1cb", "a\u2028b",
    "a\nb = c", "a\r\nend = 2020-01-01", "a\x0bstart = 2020-01-01", "a\x85b", "# rien", "= =",
    "</script><script>alert(1)</script>", "'; DROP TABLE tickets; --", "{found}", "{0.__class__}",
    "${x}", "__proto__", "constructor", "toString", "null", "undefined", "\u202eabc", "ﬁn", "Ⅷ",
    "source.hospital = stays",
    "*panneau*", "{code}", "~user", "[a|b]", "NaN", "٣", "１２", "½", "²",
)  # fmt: skip
DAYS = (
    "2020-12-31", "2020-02-29", "2021-02-29", "2020-02-30", "1900-02-29", "2000-02-29",
    "2020-13-01", "2020-00-10", "2020-10-00", "0000-01-01", "0001-01-01", "9999-12-31",
    "31/12/2020", "12/31/2020", "31.12.2020", "2020/12/31", "20201231", "2020-1-1", "20-12-31",
    "2020-12-31T00:00", "2020-W10-1", "2020-12-31Z", "２０２０-１２-３１", "2020‑12‑31",
    "2020–12–31", "2020−12−31", "٢٠٢٠-١٢-٣١", " 2020-12-31\u00a0", "2020- 12-31", "+2020-12-31",
    "12020-12-31",
    "31 décembre 2020", "demain", "2020-12-3\u200b1", "2020-12-31, 2020-12-30", "2020-12-31,",
    "?",
)  # fmt: skip
NUMBERS = (
    "0", "1", "2", "3", "4", "5", "-1", "+2", "1.5", "1,5", "4,70", ".5", "5.", ".", "-", "+",
    "1e3", "1E-2", "1e400", "-1e400", "1e", "inf", "-Infinity", "nan", "1 000", "1\u202f000",
    "1\u00a0000", "1_000", "1__0", "_1", "1_", "1_0.5_0", "1._5", "1,000.5", "1.000,5", "2.0",
    "２", "٣", "२.५", "𝟚", "②", "²", "½", "0x10", "0b1", "1e1_0", "--1", "2 2", " 2 ", "2\x1f",
    "\ufeff2", "9" * 25, "9" * 400, "-" + "9" * 400, "1" * 4301, "1.4999999999999999",
    "20.000000000000001", "1" * 310, "2%", "2 €", "1.5000000000000002", "-0", "-0.0", "2j", "1d",
    "1f",
)  # fmt: skip
WORDS = (
    "oui", "OUI", "Oui ", "non", "yes", "no", "true", "False", "vrai", "FAUX", "1", "0", "yeſ",
    "on", "ja", "o", "ouı", "Soins", "care", "SOINS / CARE", "soins/recherche", "Recherche",
    "research", "Recherche / research", "ſoins", "S\u00adoins", "Soins / ", "/", "Curiosité",
    "Accord du chef de service", "accord  du\u00a0chef de service",
    "Approval of the head of service", "MR-004", "mr‑004", "ＭＲ-004", "Autorisation CNIL",
    "AUTHORISATION", "Autorisation CNIL / MR-004", "Une fois", "once", "Une fois / once",
    "Quotidienne", "HEBDOMADAIRE / weekly", "monthly / daily", "Selon le modèle",
    "selon le mode\u0300le", "As the template says", "cron", "parfois", "6 h",
)  # fmt: skip
REFERENCES = (
    "NOTE-2026-014", "F20260114093012", "f20260114093012", "F2026011409301", "2216394",
    "2216394 v 0", "2216394v12", "n° 2216394", "no 2216394", "N°2216394", "MR-004 2216394",
    "MR004-2026-014", "mr-004/2026/7", "MR004-2026-0000001", "DR-2026-031", "dr-2026-031",
    "D3-2026-031", "DÉ-2026-031", "2021-118", "2021-1", "926031", "926031 v 2",
    "décision DR-2026-031", "DÉCISION CNIL DR-2026-031", "de\u0301cision DR-2026-031",
    "autorısatıon 926031", "AUTORİSATİON 926031", "demande 926031", "délibération n° 2021-118",
    "delibération 2021-118", "٩٢٦٠٣١", "DR-٢٠٢٦-٠٣١", "F٢٠٢٦٠١١٤٠٩٣٠١٢", "Dı-2026-031", "oui",
    "en cours", "MR-004", "CER-2026-031", "2026-A01234-37", "IRB00011558", "accordé", "12345",
    "CPP", "A1 2", "é12é", "CER_2026_031", "CER (2026) : 031", "CER*2026", "ǅ12x", "Ⅷ12x",
    "x" + "1" * 79, "x" + "1" * 80, "_", "_é_", "…", "①", "CER\u200b-2026-031",
)  # fmt: skip
CRONS = (
    "0 6 * * 1", "0 6 * * mon", "0 6 * * MON-FRI", "0 6 * * FRI-MON", "* * * * *", "0,30 6 * * *",
    "0 25 * * *", "60 6 * * *", "0 6 30 2 *", "0 6 31 2,4,6,9,11 *", "0 6 31 2 1", "0 6 29 2 *",
    "0 6 L * *", "0 6 LW * *", "0 6 L/2 * *", "0 6 L-3 * *", "0 6 * * 5L", "0 6 * * FRIL",
    "0 6 * * L", "0 6 * * 1#2", "0 6 * * MON#5", "0 6 * * 1#6", "0 6 * * 1#0", "0 6 */31 * MON#5",
    "0 6 * 2 MON#5", "0 6 1-7 * */7", "*/60 * * * *", "*/30 * * * *", "5/60 6 * * *",
    "0 */0 * * *", "0 6-5 * * *", "0 6 1 jan *", "0 6 1 JANVIER *", "0 6 1 13 *", "0 6 0 1 *",
    "0 6 * * 7", "0 6 * * 8", "0 6 * *", "0 6 * * * *", "0  6\u00a0* * 1", "０ ６ * * １",
    "0 6 * * 1,", "0 6 , * *", "0 6 ,1 * *", "@daily", "0 6 1-5/2 * *", "0 6 5-1/2 * *",
    "0 6 1,15 * 1", "00 06 01 01 00", "0 6 * * 1-5/2", "1-1 6 * * *", "1 6 30 2 1L",
    "0 6 31 * 1#5", "0 6 */40 * *", "0 6 31/1 4 *", "0 6 *,31 2 *", "0 6 * * */8", "①",
    "0 6 * * " + "1," * 46 + "1", "0 6 * * " + "1," * 45 + "1", "*", "٣", "0 6 LW 2 1L",
    "0 6 1L * *", "0 6 * * mon#1,tue#2", "0 6 * * mon#1/2", "0 6 29,30 2 *", "0 6 30,L 2 *",
    "0 6 -1 * *", "0 ½ * * *",
)  # fmt: skip
PIECES = {
    "minute": ("0", "*", "*/60", "5", "59", "60", "1-1", "0,0", "0-3/4", "7/60", "3/9"),
    "hour": ("6", "*", "*/5", "0-23", "23", "24", "1,2"),
    "day": (
        "*", "*/9", "1", "29", "30", "31", "L", "LW", "30-31", "31/1", "1,L", "*/31", "32",
        "28-L",
    ),
    "month": ("*", "2", "FEB", "2,4", "*/11", "apr-jun", "11/2", "13", "2/12"),
    "weekday": (
        "*", "1", "MON", "7", "0", "1#5", "5L", "*/6", "6,7", "1-7", "*/9", "SUN#1", "MON#5,2",
    ),
}  # fmt: skip
ODD = (
    "aA0-–_ \u00a0\u202f\u200b\u2028\x1c\x85,=#/.|éÉßſıİKÅﬁ①²½٣２Ⅷ"
    "漢😀\u0301\ufeff\u00ad\u0000\n\r\t'\"<&>{}"
)


def zoo() -> TemplateSpec:
    """A template with a parameter of every kind, and with hostile words in all its texts."""
    hostile = "</script><script>window.fired=1</script>\"'&{{7*7}}${1}<img src=x onerror=fired=1>"
    words = {"fr": f"Zoo {hostile}", "en": f"Zoo {hostile}"}
    choices = ["Straße", "İzmir", "ﬁn", "Ωμέγας", "a/b", hostile, "toString", "ǰ", "75"]
    kinds: dict[str, dict[str, Any]] = {
        "words": {"type": "text", "example": "abc", "max_length": 20},
        "emoji": {"type": "text", "example": "abc", "max_length": 255, "required": False},
        "texts": {"type": "text", "many": True, "example": "a, b", "max_length": 5},
        "whole": {"type": "integer", "min": -3, "max": 12, "example": "4"},
        "wholes": {"type": "integer", "many": True, "required": False, "max": 5.5, "example": "1"},
        "real": {"type": "number", "min": 1.5, "max": 20, "example": "2,5"},
        "reals": {"type": "number", "many": True, "example": "2.5", "default": "3"},
        "flag": {"type": "boolean", "example": "oui"},
        "flags": {"type": "boolean", "many": True, "required": False, "example": "oui, non"},
        "day": {"type": "date", "min": "2020-01-01", "max": "2020-12-31", "example": "2020-06-01"},
        "days": {"type": "date", "many": True, "required": False, "example": "2020-06-01"},
        "first": {"type": "date", "example": "2020-06-01", "from_period": "first_day"},
        "ended": {"type": "text", "example": "2020-06-01T00:00", "from_period": "end"},
        "one": {"type": "choice", "choices": choices, "example": "Straße"},
        "some": {"type": "choice", "many": True, "choices": [*choices, "a,b"], "example": "75, ﬁn"},
        "late": {"type": "integer", "default": "99", "max": 9, "required": False, "example": "1"},
    }
    label = {"label": words, "help": words}
    return TemplateSpec.model_validate(
        {
            "name": "zoo", "version": "1", "title": words, "question": words,
            "parameters": {name: label | one for name, one in kinds.items()},
            "sources": {
                "stays": {"kind": "hospital-stays", "label": words},
                "gone": {"kind": "nowhere", "label": words, "required": False},
            },
            "outputs": {"report": {"kind": "report", "title": words, "sensitivity": "public",
                                   "channel": "site"}},
            "schedule": {"cron": "0 6 * * 1"},
        }
    )  # fmt: skip


def make_catalogue(root: Path) -> dict[str, Template]:
    """The shipped templates, the zoo, and one that asks for a source that no unit has."""
    spec = zoo()
    lost = {"lost": {"kind": "nowhere", "label": {"fr": "x", "en": "x"}}}
    barren = spec.model_copy(update={"name": "barren", "parameters": {}, "schedule": None})
    barren = TemplateSpec.model_validate(barren.model_dump() | {"sources": lost})
    more = {one.name: Template(root, one) for one in (spec, barren)}
    return load_catalogue(root / "templates") | more


def make_unit(**changes: Any) -> Settings:
    """A unit with three services, several people who sign, and sources that are not open to all."""
    settings = make_settings()
    raw = settings.model_dump(mode="json", exclude_none=True)
    raw["jira"]["token"] = raw["gitlab"]["token"] = "t0ken"
    raw["jira"]["fields"]["colleagues"] = "customfield_10112"
    raw["unit"]["data_protection_officers"] = ["npetit", "hbernard"]
    raw["services"]["Hygiène hospitalière"]["approvers"] = ["hbernard", "pmartin", "npetit"]
    raw["services"]["Urgences & \"SAMU\" <15>"] = {
        "project": "unite/urgences", "approvers": ["sroux"], "reviewers": ["rfaure"],
    }  # fmt: skip
    raw["people"]["pmartin"] = "Paul <b>Martin</b>"
    root = Path(__file__).resolve().parents[1]
    known = {source["kind"] for source in raw["sources"].values()}
    shipped = load_catalogue(root / "templates").values()
    for kind in {one.kind for each in shipped for one in each.spec.sources.values()} - known:
        raw["sources"][kind] = {"kind": kind, "path": "a.csv", "sensitivity": "sensitive"}
    stays = raw["sources"]["stays"]
    raw["sources"]["stays"] = stays | {"services": list(raw["services"])[1:]}
    raw["sources"]["stays_old"] = stays | {"default": False}
    raw["sources"]["stays_study"] = stays | {"purposes": ["research"], "default": True}
    for name in ("spf", "spf_flux"):  # a service without any
        raw["sources"][name]["services"] = list(raw["services"])[:2]
    return Settings.model_validate(raw | changes)


def make_cases(
    template: Template, settings: Settings, count: int, seed: int
) -> Iterator[dict[str, str]]:
    """Yield the texts of a form's controls: good ones, and good ones with up to four changes."""
    maker = _Maker(template.spec, settings, random.Random(seed))
    for number in range(count):
        yield maker.case(changes=number % 5)


class _Maker:
    def __init__(self, spec: TemplateSpec, settings: Settings, rng: random.Random) -> None:
        self.spec, self.settings, self.rng = spec, settings, rng
        self.people = ["hbernard", "pmartin", "npetit", "sroux"]

    def case(self, changes: int) -> dict[str, str]:
        good = self.good()
        for name in self.rng.sample(sorted(good), min(changes, len(good))):
            good[name] = self.rng.choice(self.pool(name))
            if self.rng.random() < 0.1:
                good[name] = self.spoil(good[name])
        if changes and self.rng.random() < 0.2:
            good["recurrence"] = self.rng.choice([*CRONS, self.cron()])
        if changes and self.rng.random() < 0.2:
            good[self.rng.choice(sorted(good))] = ""
        return good

    def good(self) -> dict[str, str]:
        pick, purpose = self.rng.choice, self.rng.choice(self.spec.purposes)
        research = purpose == "research"
        basis = pick(["MR-004", "Autorisation CNIL"]) if research else "Accord du chef de service"
        reference = {"MR-004": "F20260114093012", "Autorisation CNIL": "DR-2026-031"}
        service = pick(list(self.settings.services))
        values = {
            "summary": pick(["Séjours de décembre", "x" * 255]),
            "description": pick(["Pour la cellule.\n\nMerci.", ""]),
            "components": service,
            "me": "",
            "purpose": "Recherche" if research else "Soins",
            "legal_basis": basis,
            "reference": reference.get(basis, "NOTE-2026-014"),
            "expires": pick(["2027-12-31", TODAY.isoformat()]),
            "approver": pick(self.settings.services[service].approvers),
            "ethics": "CER-2026-031",
            "dpo": "npetit",
            "recurrence": pick(["Une fois", "", "Hebdomadaire"]),
            "colleagues": "",
            "language": "Français",
        }
        if values["approver"] == "npetit":
            values["dpo"] = "hbernard"
        for name, one in self.spec.parameters.items():
            left_out = not one.required and self.rng.random() < 0.5
            values[f"parameter.{name}"] = "" if left_out else pick([one.example, *one.choices[:20]])
        return values | {f"source.{name}": "" for name in self.spec.sources}

    def pool(self, name: str) -> Sequence[str]:
        if name.startswith("parameter."):
            return self.values_of(self.spec.parameters[name.partition(".")[2]])
        services = [*self.settings.services]
        days = [(TODAY + timedelta(days=n)).isoformat() for n in (-1, 0, 1)]
        people = [*self.people, "rfaure", " hbernard ", ""]
        many = [", ".join(f"c{n}" for n in range(count)) for count in (1, 9, 10, 11, 12)]
        own: Mapping[str, Sequence[str]] = {
            "components": [*services, *(one.upper() for one in services), "Lingerie"],
            "purpose": WORDS, "legal_basis": WORDS, "language": WORDS,
            "reference": REFERENCES, "ethics": REFERENCES, "expires": [*DAYS, *days],
            "approver": people, "dpo": people, "me": people,
            "recurrence": [*WORDS, *CRONS, *(self.cron() for _ in range(40))],
            "colleagues": [*many, f"{many[3]},", "c1,c1,, c1", ",".join(self.people)],
            "description": ["x" * 32_767, "x" * 32_768],
        }  # fmt: skip
        sources = [*self.settings.sources, "STAYS"] if name.startswith("source.") else []
        return [*(own.get(name) or sources), *self.rng.sample(TEXTS, 12)]

    def values_of(self, one: ParameterSpec) -> list[str]:
        pools: Mapping[str, Sequence[str]] = {
            "date": DAYS, "integer": NUMBERS, "number": NUMBERS, "boolean": WORDS[:16],
            "choice": one.choices, "text": TEXTS,
        }  # fmt: skip
        pool = list(pools[one.type])
        if one.type == "choice":
            pool += [choice.upper() for choice in one.choices] + [one.choices[0] + " ", "Atlantide"]
        if one.type == "date":
            bounds = [date.fromisoformat(str(b)) for b in (one.min, one.max) if b is not None]
            pool += [(b + timedelta(days=n)).isoformat() for b in bounds for n in (-1, 0, 1)]
        if one.type in {"integer", "number"}:
            bounds = [float(b) for b in (one.min, one.max) if b is not None]
            pool += [str(b + n) for b in bounds for n in (-1, -0.1, 0, 0.1, 1)]
            pool += [str(int(b) + n) for b in bounds for n in (-1, 0, 1)]
        if one.many:
            several = (self.rng.sample(pool, min(3, len(pool))) for _ in range(20))
            pool += [self.rng.choice([",", ", ", " ,"]).join(parts) for parts in several]
            pool += [
                f"{pool[0]},{pool[0]}",
                f"{pool[0]},",
                f",{pool[0]}",
                ",",
                f"{pool[0]},,{pool[0]}",
            ]
        return [*pool, *self.rng.sample(TEXTS, 6)]

    def cron(self) -> str:
        return " ".join(self.rng.choice(pieces) for pieces in PIECES.values())

    def spoil(self, text: str) -> str:
        """Put an odd character, or any that this Python knows, somewhere into a text."""
        place = self.rng.randint(0, len(text))
        one = self.rng.choice(ODD) if self.rng.random() < 0.7 else self.any_character()
        return text[:place] + one + text[place:]

    def any_character(self) -> str:
        while True:
            one = chr(self.rng.randrange(0x110000))
            if unicodedata.category(one) not in {"Cn", "Co"}:
                return one
