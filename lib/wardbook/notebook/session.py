"""What a notebook is run with: the values of a run's folder, or those of an analyst's own session.

Values come from `spec.json` of the folder that the environment variable WARDBOOK_RUN names.
Without it the working directory is taken as a template's folder and the values are its examples.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from wardbook.domain.run import RunSpec
from wardbook.errors import EnvironmentFault
from wardbook.messages import Language
from wardbook.notebook.parameters import Parameters, decode_parameters, read_examples
from wardbook.template.spec import Template, load_template

RUN_VARIABLE = "WARDBOOK_RUN"
SOURCE_VARIABLE = "WARDBOOK_SOURCE_"


@dataclass(frozen=True)
class Session:
    """The values that a notebook reads and the folder it writes outputs to.

    `sources` holds those that are at hand; `template_folder` declares what there may be.
    """

    language: Language
    parameters: Parameters
    sources: Mapping[str, Path]
    outputs: Path
    template_folder: Path
    by_hand: bool

    @cached_property
    def template(self) -> Template:
        """The template, read at its first use."""
        return load_template(self.template_folder)

    @cached_property
    def texts(self) -> Mapping[str, str]:
        """The template's texts in this session's language."""
        return self.template.texts(self.language)


def current_session() -> Session:
    """Return this process's session: the run's, or the analyst's own where there is no run.

    Raises:
        EnvironmentFault: neither a run's folder nor a template's is at hand.
        TemplateProblem: the template's folder does not hold to the rules.
    """
    run = os.environ.get(RUN_VARIABLE)
    return open_run(Path(run)) if run else open_by_hand(Path.cwd())


@cache
def open_run(folder: Path) -> Session:
    """Read the session of a run from its folder."""
    spec = RunSpec.read(folder)
    return Session(
        language=spec.language,
        parameters=decode_parameters(spec.parameters),
        sources={name: folder / source.path for name, source in spec.sources.items()},
        outputs=folder / "outputs",
        template_folder=Path(spec.template_folder),
        by_hand=False,
    )


@cache
def open_by_hand(folder: Path) -> Session:
    """Read the session of an analyst who works in the template's folder, in French.

    Parameters have their defaults, required ones without a default their examples; the source
    `stays` is the file that the environment variable WARDBOOK_SOURCE_STAYS names.

    Raises:
        EnvironmentFault: `folder` is no template's folder.
        TemplateProblem: the template's folder does not hold to the rules.
    """
    if not (folder / "template.toml").is_file():
        raise EnvironmentFault(
            f"{RUN_VARIABLE} is not set and the working directory holds no template.toml. "
            "Open the notebook from its template's folder."
        )
    template = load_template(folder)
    named = {name: os.environ.get(SOURCE_VARIABLE + name.upper()) for name in template.spec.sources}
    return Session(
        language="fr",
        parameters=read_examples(template.spec),
        sources={name: Path(path) for name, path in named.items() if path},
        outputs=folder / "outputs",
        template_folder=folder,
        by_hand=True,
    )
