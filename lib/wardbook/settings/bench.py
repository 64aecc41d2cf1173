"""The analysts' bench: where JupyterLab works, and how people reach it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from wardbook.settings.section import Section, Url


class BenchSettings(Section):
    """Where each analyst's requests are opened (`wardbook lab`), and where stand-ins of data are.

    `folder` is the analyst's own ("~" is their home); runs and extracts of data are in it, so it
    belongs on the secure side. `port` is the first that is tried. `address` is how an analyst's
    browser reaches their own bench; where it is set, issues link to it. `twins` is the folder of
    synthetic stand-ins that `wardbook data twin` makes, readable by all analysts.
    """

    folder: Path = Path("~/wardbook")
    port: Annotated[int, Field(ge=1024, le=65535)] = 8888
    address: Url | None = None
    twins: Path = Path("twins")
