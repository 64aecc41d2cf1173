"""Twins of the unit's sources: made of what may leave them, and found by who works with them.

    TWINS/SOURCE.KIND.csv or .parquet   the rows; nobody is behind them
    TWINS/SOURCE.KIND.twin.json         all that left the source, for the data-protection officer

The source is read on the secure side, into a folder that is gone afterwards.
"""

from pipelines.twins.checking import TwinState, check_twins
from pipelines.twins.choosing import TwinRefusal
from pipelines.twins.making import MadeTwin, NotMade, Progress, make_twins
from pipelines.twins.places import find_twin

__all__ = [
    "MadeTwin",
    "NotMade",
    "Progress",
    "TwinRefusal",
    "TwinState",
    "check_twins",
    "find_twin",
    "make_twins",
]
