"""How much is tried: little in the tests of every day, all of it in the long form.

WARDBOOK_CRASH=long         the long form
WARDBOOK_CRASH_SEED=NUMBER  another choice of what is left to chance
"""

import os
import random
from collections.abc import Sequence
from typing import TypeVar

LONG = os.environ.get("WARDBOOK_CRASH") == "long"
SEED = int(os.environ.get("WARDBOOK_CRASH_SEED", "2026"))

T = TypeVar("T")


def chosen(schedules: Sequence[T], few: int) -> list[T]:
    """Return all schedules in the long form, else a few that the seed chooses, in their order."""
    if LONG:
        return list(schedules)
    places = random.Random(SEED).sample(range(len(schedules)), few)
    return [schedules[place] for place in sorted(places)]
