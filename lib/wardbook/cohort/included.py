"""Those who meet all criteria: their follow-up, what is odd of them, and the list of them."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from wardbook.cohort.criteria import Cohort

MOST_CHARACTERISTICS = 12
MOST_SHIFTED = 182
"""Days by which a date is shifted at most, either way."""
_OLDEST = 120


@dataclass(frozen=True)
class Included:
    """The persons of a cohort, and how many records of them cannot be true.

    persons: person, sex, age (missing where it cannot be true), index_day, followed_until,
        death_day, follow_up_days (missing where not observed at the index), died (while followed),
        in_group, and c1, c2, … (bool) for each characteristic.
    odd: by name, how many persons: `age`, `unobserved`, `dead`.
    """

    persons: pd.DataFrame
    odd: dict[str, int]


def keep_included(persons: pd.DataFrame, cohort: Cohort) -> Included:
    """Return those of the dataset `cohort-persons` who meet every criterion."""
    rows = persons[persons["step"] == len(cohort.steps)].reset_index(drop=True)
    age = pd.to_numeric(rows["age"]).astype("float64")
    believed = age.between(0, _OLDEST)
    dead = rows["death_day"] < rows["index_day"]
    until = rows[["followed_until", "death_day"]].min(axis=1).where(rows["followed_until"].notna())
    days = (until - rows["index_day"]).dt.days.astype("float64").where(~dead)
    died = rows["death_day"].notna() & (rows["death_day"] <= until) & ~dead
    traits = {
        f"c{at}": rows["traits"].astype("str").str[at] == "1"
        for at in range(1, len(cohort.characteristics) + 1)
    }
    told = rows.assign(age=age.where(believed), follow_up_days=days, died=died, **traits)
    odd = {
        "age": int((~believed).sum()),
        "unobserved": int(rows["followed_until"].isna().sum()),
        "dead": int(dead.sum()),
    }
    return Included(told.drop(columns=["step", "source_persons", "traits"]), odd)


def list_persons(
    persons: pd.DataFrame, extract: pd.DataFrame, dates: Literal["days", "shifted"]
) -> pd.DataFrame:
    """Return the list under pseudonyms, in their order.

    A notebook has no secret of its own. So the key is the digest of the whole extract: who does not
    hold all of it cannot work a pseudonym out, and another request has another key. A pseudonym is
    a number, the place of the person in the order of their keyed digests: it has nothing of them.

    Args:
        persons: of `keep_included`.
        extract: the rows that they come from.
        dates: `days` gives no date, only days from the index; `shifted` adds the index, for each
            person by another number of days, at most MOST_SHIFTED.
    """
    digests = _key_digests(persons["person"], extract)
    rows = persons.assign(digest=digests).sort_values("digest", ignore_index=True)
    shift = [int.from_bytes(one[8:12], "big") % (2 * MOST_SHIFTED + 1) for one in rows["digest"]]
    moved = rows["index_day"] + pd.to_timedelta(np.array(shift) - MOST_SHIFTED, unit="D")
    traits = {f"c{at}": _as_flag(rows, f"c{at}") for at in range(1, MOST_CHARACTERISTICS + 1)}
    return pd.DataFrame(
        {
            "pseudonym": [f"P{number:06d}" for number in range(1, len(rows) + 1)],
            "sex": rows["sex"],
            "age": rows["age"].astype("Int64"),
            "index_day": moved if dates == "shifted" else pd.Series(pd.NaT, index=rows.index),
            "follow_up_days": rows["follow_up_days"].astype("Int64"),
            "died": rows["died"].astype("int64"),
            "in_group": pd.to_numeric(rows["in_group"]).astype("Int64"),
            **traits,
        }
    )


def _as_flag(rows: pd.DataFrame, name: str) -> pd.Series[int]:
    found = rows[name].astype("Int64") if name in rows else pd.Series(pd.NA, index=rows.index)
    return found.astype("Int64")


def _key_digests(persons: pd.Series[int], extract: pd.DataFrame) -> list[bytes]:
    text = extract.sort_values("person").to_csv(index=False)
    key = hashlib.sha256(text.encode()).digest()
    return [hmac.digest(key, str(person).encode(), "sha256") for person in persons]
