"""The embedded hospital: an invented OMOP database with effects of known size planted in it.

`build_hospital` draws it batch by batch. `people` draws persons, visits and stays in wards; each
module of `wardbook.hospital.parts` adds what one domain knows of them, and its truth.
"""

from wardbook.hospital.building.build import build_hospital

__all__ = ["build_hospital"]
