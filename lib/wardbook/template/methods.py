"""The method sheets of a template: `methods.toml`, one table for each indicator.

Each says what the figure means, how it is computed, from which data, and what it does not tell.
The documentation's pages of methods are made from them, so there is one place to keep them true.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from wardbook.template.localised import DeclaredModel, Localised
from wardbook.template.spec import Name, Template, TemplateProblem

METHODS = "methods.toml"


class MethodSpec(DeclaredModel):
    """One indicator. `columns` are those of the template's tables that hold it."""

    name: Localised
    definition: Localised
    formula: Annotated[str, Field(min_length=1)]
    source: Localised
    limits: Annotated[tuple[Localised, ...], Field(min_length=1)]
    columns: tuple[str, ...] = ()


_METHODS = TypeAdapter(Mapping[Name, MethodSpec])


def load_methods(template: Template) -> Mapping[str, MethodSpec]:
    """Read the indicators of a template, in the file's order; none without the file.

    Raises:
        TemplateProblem: the file does not hold to the schema, or names a column that no table has.
    """
    file = template.folder / METHODS
    if not file.is_file():
        return {}
    try:
        methods = _METHODS.validate_python(tomllib.loads(file.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TemplateProblem(f"{file}: not readable as TOML ({error}). Mend the line.") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"]) or "the file"
        raise TemplateProblem(f"{file}: {key}: {first['msg']}.") from None
    known = {column for output in template.spec.outputs.values() for column in output.columns}
    for name, method in methods.items():
        for column in method.columns:
            if column not in known:
                raise TemplateProblem(f"{file}: {name}: no table of the template has {column!r}.")
    return methods
