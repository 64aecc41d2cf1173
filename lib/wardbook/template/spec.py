"""What a template declares: the file `template.toml`, parsed once into frozen models.

A template is a folder under `templates/`: `template.toml`, the notebook, `texts.toml` (what its
report says, in French and English) and `README.md` (the method sheet).
"""

from __future__ import annotations

import hashlib
import keyword
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError, model_validator

from wardbook.dashboards.spec import DashboardSpec, find_unfit_panels
from wardbook.domain.cron import Unfit, check_cron
from wardbook.domain.output import Sensitivity
from wardbook.domain.periods import CatchUp
from wardbook.domain.run import EngineName
from wardbook.errors import Refusal
from wardbook.messages import Language, say
from wardbook.settings import TimeZone
from wardbook.template.headlines import HeadlineSpec, find_unfit_headlines
from wardbook.template.localised import DeclaredModel, Localised
from wardbook.template.outputs import OutputSpec, find_impossible

__all__ = [
    "HeadlineSpec",
    "Localised",
    "OutputSpec",
    "ParameterSpec",
    "ResourcesSpec",
    "ScheduleSpec",
    "SourceSpec",
    "Template",
    "TemplateProblem",
    "TemplateSpec",
    "load_catalogue",
    "load_template",
]

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
SlurmWord = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.,:-]{0,100}$")]


class TemplateProblem(Refusal):
    """A template folder that does not hold to the rules; the message names file and key."""


def _known_cron(text: str) -> str:
    try:
        return check_cron(text)
    except Unfit as unfit:
        raise ValueError(f"{text!r}: {say('en', f'gate.{unfit.code}', found=text)}") from None


class ParameterSpec(DeclaredModel):
    """One parameter: its type, its bounds, and how a requester is told about it.

    `from_period` is what it takes from the period of a recurring request.
    """

    type: Literal["text", "integer", "number", "boolean", "date", "choice"]
    label: Localised
    help: Localised | None = None
    many: bool = False
    required: bool = True
    default: str | None = None
    choices: tuple[str, ...] = ()
    min: int | float | str | None = None
    max: int | float | str | None = None
    max_length: int = 200
    example: str
    from_period: Literal["first_day", "last_day", "start", "end"] | None = None

    @model_validator(mode="after")
    def _choices_fit_the_type(self) -> ParameterSpec:
        if (self.type == "choice") != bool(self.choices):
            raise ValueError('`choices` goes with type = "choice", and only with it')
        return self

    @model_validator(mode="after")
    def _period_fits_the_type(self) -> ParameterSpec:
        if self.from_period is None:
            return self
        wanted = "date" if self.from_period.endswith("_day") else "text"
        if self.type != wanted or self.many:
            raise ValueError(f'from_period = "{self.from_period}" goes with type = "{wanted}"')
        return self


class ScheduleSpec(DeclaredModel):
    """When the template recurs where the ticket leaves that to it, and how it catches up.

    `zone` is the unit's unless it says another; `catch_up` and `max_catch_up` are explained in
    `wardbook.domain.catch_up`. They hold too where the ticket chooses another time.
    """

    cron: Annotated[str, AfterValidator(_known_cron)]
    zone: TimeZone | Literal[""] = ""
    catch_up: CatchUp = "latest"
    max_catch_up: Annotated[int, Field(ge=1, le=366)] = 31


class SourceSpec(DeclaredModel):
    """One data source: its format's name, matched against the sources of the settings.

    `sensitivity` is what data of this kind are when a file is given by hand; the settings say it
    for each source of the unit.
    """

    kind: str
    label: Localised
    required: bool = True
    sensitivity: Sensitivity = Sensitivity.SENSITIVE


class ResourcesSpec(DeclaredModel):
    """What one run may use on each of its nodes; the last three matter on Slurm alone."""

    cpus: Annotated[int, Field(ge=1, le=64)] = 1
    memory_mb: Annotated[int, Field(ge=256)] = 2048
    minutes: Annotated[float, Field(gt=0)] = 10
    partition: SlurmWord = ""
    gres: SlurmWord = ""
    nodes: Annotated[int, Field(ge=1, le=64)] = 1


class TemplateSpec(DeclaredModel):
    """Everything that `template.toml` declares.

    `policy` names a disclosure policy that is stricter than the unit's, where one is needed.
    """

    name: Name
    version: str
    title: Localised
    question: Localised
    kernel: str = "python3"
    engine: EngineName = "warm"
    notebook: str = "notebook.ipynb"
    purposes: tuple[Literal["care", "research"], ...] = ("care", "research")
    parameters: Mapping[Name, ParameterSpec] = Field(default_factory=dict)
    sources: Mapping[Name, SourceSpec] = Field(default_factory=dict)
    outputs: Mapping[Name, OutputSpec]
    resources: ResourcesSpec = ResourcesSpec()
    schedule: ScheduleSpec | None = None
    headlines: Annotated[Mapping[Name, HeadlineSpec], Field(max_length=12)] = Field(
        default_factory=dict
    )
    policy: str = ""
    dashboard: DashboardSpec | None = None

    @model_validator(mode="after")
    def _parameters_can_be_written(self) -> TemplateSpec:
        for name in self.parameters:
            if keyword.iskeyword(name):
                raise ValueError(f"parameter {name!r}: Python cannot write `params.{name}`")
        return self

    @model_validator(mode="after")
    def _outputs_fit_each_other(self) -> TemplateSpec:
        for problem in find_impossible(self.outputs):
            raise ValueError(f"outputs.{problem}")
        return self

    @model_validator(mode="after")
    def _headlines_fit_the_outputs(self) -> TemplateSpec:
        for problem in find_unfit_headlines(self.headlines, self.outputs):
            raise ValueError(f"headlines.{problem}")
        return self

    @model_validator(mode="after")
    def _dashboard_fits_the_outputs(self) -> TemplateSpec:
        for problem in find_unfit_panels(self.dashboard, self.outputs) if self.dashboard else ():
            raise ValueError(f"dashboard.{problem}")
        return self


@dataclass(frozen=True)
class Template:
    """A template's folder and what it declares."""

    folder: Path
    spec: TemplateSpec

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the names and bytes of the template's files: its code version.

        Its `tests` decide nothing of what it computes, and do not count.
        """
        total = hashlib.sha256()
        for file in sorted(self.folder.rglob("*")):
            name = file.relative_to(self.folder)
            if name.parts[0] == "tests" or not file.is_file():
                continue
            if not any(part.startswith((".", "__")) for part in name.parts):
                total.update(f"{name.as_posix()}\0{file.stat().st_size}\0".encode())
                total.update(file.read_bytes())
        return total.hexdigest()

    @property
    def notebook(self) -> Path:
        """Path of the template's notebook."""
        return self.folder / self.spec.notebook

    def texts(self, language: Language) -> dict[str, str]:
        """Return the texts of the template's report: key to text with `{name}` places."""
        file = self.folder / "texts.toml"
        if not file.exists():
            return {}
        texts: dict[str, dict[str, str]] = tomllib.loads(file.read_text(encoding="utf-8"))
        return texts[language]


def load_template(folder: Path) -> Template:
    """Read one template's folder.

    Raises:
        TemplateProblem: a file is missing or `template.toml` does not hold to the schema.
    """
    file = folder / "template.toml"
    try:
        spec = TemplateSpec.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise TemplateProblem(f"{file}: not there. A template's folder needs one.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TemplateProblem(f"{file}: not readable as TOML ({error}). Mend the line.") from None
    except ValidationError as error:
        raise TemplateProblem(f"{file}: {_name_first_problem(error)}") from None
    if spec.name != folder.name:
        raise TemplateProblem(
            f'{file}: name = "{spec.name}" must equal the folder "{folder.name}".'
        )
    if not (folder / spec.notebook).is_file():
        raise TemplateProblem(f"{folder}: the notebook {spec.notebook} is not there.")
    return Template(folder, spec)


def load_catalogue(folder: Path) -> dict[str, Template]:
    """Read every template under `folder`, by name.

    Raises:
        TemplateProblem: one of them does not hold to the rules.
    """
    templates = (load_template(file.parent) for file in sorted(folder.glob("*/template.toml")))
    return {template.spec.name: template for template in templates}


def _name_first_problem(error: ValidationError) -> str:
    first: Any = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"]) or "the file"
    return f"{key}: {first['msg']}."
