"""What every part of a declaration is made of: frozen models, and texts in both languages."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from wardbook.messages import Language


class DeclaredModel(BaseModel):
    """A part of a declaration: frozen, and strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Localised(DeclaredModel):
    """One text in both languages."""

    fr: str
    en: str

    def in_language(self, language: Language) -> str:
        """Return the text in `language`."""
        return self.fr if language == "fr" else self.en
