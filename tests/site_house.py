"""A unit whose site can be built: settings, an empty ledger and a public key, and no trackers."""

from __future__ import annotations

from pathlib import Path

from pipelines.house import House
from tests.sample_settings import make_settings


class _OneKey:
    """A keyring that shows the unit's public key and can nothing else."""

    def export_public(self, fingerprint: object) -> str:
        return f"-----BEGIN PGP PUBLIC KEY BLOCK-----\n{fingerprint}\n"

    def close(self) -> None:
        pass


def make_site_house(folder: Path) -> House:
    """Return the house of a unit below `folder`; its site is `site`, served under /unit/."""
    settings = make_settings()
    site = settings.site.model_copy(
        update={
            "folder": folder / "site",
            "url": "https://inside.hospital.example/unit",
            "public_url": "https://unit.hospital.example",
        }
    )
    unit = settings.unit.model_copy(update={"state": folder / "state"})
    ledger = f"sqlite:///{folder / 'state' / 'ledger.db'}"
    house = House(settings.model_copy(update={"site": site, "unit": unit, "ledger": ledger}))
    house._keyring = _OneKey()  # type: ignore[assignment]
    return house
