"""What really leaves, read as a stranger would: from the bytes of the file, not its declaration.

`read_artefact` reads one file of any form, `read_apart` does so in a process with limits,
`judge_readings` turns what was found into the checks of an output, and `clean_image` rewrites a
picture with nothing in it but the picture.
"""

from wardbook.artefacts.bounds import Bounds
from wardbook.artefacts.finding import Fragment, Grid, Problem, Reading
from wardbook.artefacts.judge import Ground, judge_readings
from wardbook.artefacts.read import read_artefact, read_file, read_ticket_comment

__all__ = [
    "Bounds",
    "Fragment",
    "Grid",
    "Ground",
    "Problem",
    "Reading",
    "judge_readings",
    "read_artefact",
    "read_file",
    "read_ticket_comment",
]
