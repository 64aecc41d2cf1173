"""What a run's process may use: memory, processors, files, and nothing of its ancestor's state."""

from __future__ import annotations

import gc
import json
import os
import random
import resource
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from threadpoolctl import threadpool_limits

from wardbook.domain.run import RunSpec
from wardbook.engines.fence import fence_in
from wardbook.engines.further_nodes import CONF

RESERVE_MB = 64
"""What a notebook may still use to show its MemoryError; see `wardbook.notebook.display`."""

_SYSTEM = ("/bin", "/lib", "/lib64", "/opt", "/sbin", "/sys", "/usr")
# Not all of /etc: the settings of a unit, and its servers' passwords, may stand there.
_CONFIGURATION = (
    *("R", "alternatives", "fonts", "ipython", "java-17-openjdk", "jupyter", "ld.so.cache"),
    *("ld.so.conf", "ld.so.conf.d", "locale.alias", "locale.gen", "localtime", "magic"),
    *("mime.types", "papersize", "python3", "python3.11", "ssl", "texmf"),
    *("ca-certificates", "gai.conf", "group", "host.conf", "hostname", "hosts", "machine-id"),
    *("nsswitch.conf", "odbc.ini", "odbcinst.ini", "os-release", "passwd", "protocols"),
    *("resolv.conf", "services", "timezone"),
)
# Of /proc only this process and the machine: the environment of our own processes stands there too.
_PROCESSES = ("cpuinfo", "filesystems", "loadavg", "meminfo", "mounts", "self", "stat", "sys")
_CACHES = ("/var/cache/fontconfig", "/var/lib/texmf")
_DEVICES = ("fd", "full", "null", "ptmx", "pts", "shm", "tty", "zero")
_ENTROPY = ("/dev/random", "/dev/urandom")


@dataclass(frozen=True)
class Order:
    """What a run's process is told, by whoever asked for it.

    `environment` is its whole environment; `kernel` asks for a Jupyter kernel of its own. One that
    is `free_in` a working directory is neither fenced nor limited.
    """

    folder: Path
    environment: Mapping[str, str]
    kernel: bool
    free_in: Path | None = None

    @classmethod
    def parse(cls, packet: bytes) -> Order:
        """Read an order from `format`'s bytes."""
        given = json.loads(packet)
        free_in = given["free_in"] and Path(given["free_in"])
        return cls(Path(given["folder"]), given["environment"], given["kernel"], free_in)

    def format(self) -> bytes:
        """Return the order as one packet."""
        return json.dumps(asdict(self), default=str).encode()

    @property
    def home(self) -> Path:
        """The working directory."""
        return self.free_in or self.folder / "scratch" / "home"


def settle_in(order: Order) -> None:
    """Make this process the run's own: environment, working directory, clock, chance, mask.

    What was decided at import stays as it was there: so nothing of a run is imported before.
    """
    os.umask(0o077)
    os.environ.clear()
    os.environ.update(order.environment)
    time.tzset()
    tempfile.tempdir = None
    os.chdir(order.home)
    random.seed()
    if "numpy" in sys.modules:
        import numpy

        numpy.random.seed()  # the global generator is what must not be inherited
    # A core file would hold the patients' data.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    gc.enable()


def set_limits(spec: RunSpec, bare: int) -> None:
    """Limit what this process and each of its children may use.

    Memory is data, not address space, because libraries reserve far more addresses than they use.
    Processor time is limited to what all the run's processors could give in its time.

    Args:
        spec: the run's.
        bare: bytes that are not the notebook's: what is in use now, or what a kernel will take.
    """
    limit = (spec.memory_mb << 20) + bare
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit + (RESERVE_MB << 20)))
    seconds = int(spec.seconds * spec.cpus) + 60
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    if spec.cpus > 1:  # one is what libraries were loaded with
        threadpool_limits(spec.cpus)


def fence_run(order: Order, spec: RunSpec) -> None:
    """Let this process reach the system, its environment, its sources and its own folder."""
    folder = order.folder
    fence_in(
        (*_readable(order, spec), folder),
        (
            folder / "outputs",
            folder / "scratch",
            *(Path("/dev", device) for device in _DEVICES),
            *(Path(opened) for opened in spec.open_to),
        ),
    )


def _readable(order: Order, spec: RunSpec) -> Iterator[Path]:
    yield from (Path(path) for path in (*_SYSTEM, *_CACHES, *_ENTROPY))
    yield from (Path("/etc", name) for name in _CONFIGURATION)
    yield from (Path("/proc", name) for name in _PROCESSES)
    yield from {Path(sys.prefix), Path(sys.base_prefix), Path(sys.exec_prefix)}
    yield from (Path(path) for path in sysconfig.get_paths().values())
    yield from (Path(entry) for entry in sys.path if entry)
    for name in ("PYTHONUSERBASE", "MPLCONFIGDIR", "IPYTHONDIR"):
        if name in order.environment:
            yield Path(order.environment[name])
    if CONF in order.environment:  # only where the run may ask Slurm for further nodes
        yield Path(order.environment[CONF]).parent
    yield Path(spec.template_folder)
    yield from (order.folder / source.path for source in spec.sources.values())


def data_in_use() -> int:
    """Return the size of this process's data in bytes, as RLIMIT_DATA counts it."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        name, _, size = line.partition(":")
        if name == "VmData":
            return int(size.split()[0]) << 10
    return 0
