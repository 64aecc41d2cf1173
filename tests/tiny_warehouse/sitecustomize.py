"""Makes the tiny dataset known in every process that has this folder on its path."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2]))
from tests.tiny_warehouse import register

register()
