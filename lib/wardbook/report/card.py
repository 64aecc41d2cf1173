"""The index card `report.json` of a report: what lists of reports need to know of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from wardbook.domain.output import Sensitivity
from wardbook.files import write_atomically
from wardbook.messages import Language
from wardbook.report.problem import ReportProblem

CARD = "report.json"


class Thumbnail(BaseModel):
    """The report's first figure; `file` is relative to the report's folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: Annotated[str, Field(pattern=r"^figures/[a-z0-9_]+\.png$")]
    alternative: str
    width: Annotated[int, Field(gt=0)]
    height: Annotated[int, Field(gt=0)]


class ReportCard(BaseModel):
    """A report in a few words; `template` is a name, `topic` the template's title."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    question: str
    service: str
    template: str
    topic: str
    request: str
    started: AwareDatetime
    language: Language
    sensitivity: Sensitivity
    thumbnail: Thumbnail | None = None


def write_card(folder: Path, card: ReportCard) -> None:
    """Write `report.json` into a report's folder."""
    write_atomically(folder / CARD, card.model_dump_json(indent=1))


def read_card(folder: Path) -> ReportCard:
    """Read `report.json` of a report's folder.

    Raises:
        ReportProblem: it is missing or not what `write_card` writes.
    """
    file = folder / CARD
    try:
        return ReportCard.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        raise ReportProblem(f"{file}: missing. Render the report again.") from None
    except ValidationError as error:
        raise ReportProblem(
            f"{file}: not an index card ({error.error_count()} problems). Render the report again."
        ) from None
