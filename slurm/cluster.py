#!/usr/bin/env python3
"""Start, stop and look at a real Slurm cluster of several nodes on this one machine.

Needs Debian's packages slurm-wlm and munge, and nothing else: no configuration outside the
cluster's own folder, no service of the machine, no account. It has munge with a key of its own, a
controller, and one slurmd for each node, on ports of their own that only this machine reaches.

    slurm/cluster.py start            three nodes, in a new folder, which is told
    eval "$(slurm/cluster.py env FOLDER)"
    sinfo; sbatch --wrap hostname; squeue
    slurm/cluster.py status FOLDER
    slurm/cluster.py kill FOLDER n1   as if that node had lost its power
    slurm/cluster.py start FOLDER     starts again whatever of it does not run
    slurm/cluster.py stop FOLDER      ends all of its processes, and none besides

Partitions: `normal`, the default, and `urgent`, whose jobs push those of `normal` off a node.
Without cgroups, memory is looked at once a second, and a job that uses more than it asked for is
killed; processors are counted but nobody is kept from using more. For learning and for tests: who
may use this machine may look at the jobs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pwd
import re
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

MUNGED, CONTROLLER = "munged", "slurmctld"
PATIENCE = 60.0
"""Seconds that a daemon may take to do what it was told."""

CONFIG = """\
ClusterName=wardbook
SlurmctldHost=localhost(127.0.0.1)
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmctldPort={controller_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
SlurmdSpoolDir={folder}/spool/%n
SlurmctldLogFile={folder}/log/slurmctld
SlurmdLogFile={folder}/log/%n
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/log/jobs
# Without cgroups: Slurm follows the family of a job's processes, and looks at its memory.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
DefMemPerCPU=256
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
# Quick to see what changes: this cluster is small, and tests wait for it. Each look for a node that
# does not answer takes as long as a message may.
MessageTimeout=5
SchedulerParameters=sched_interval=1,sched_min_interval=100000,bf_interval=2,batch_sched_delay=0
SlurmdTimeout={node_timeout}
KillWait=5
ReturnToService=2
MpiDefault=none
SwitchType=switch/none
MailProg=/bin/true
PartitionName=normal Nodes=ALL Default=YES MaxTime=2:00:00 PriorityTier=1 GraceTime=5
PartitionName=urgent Nodes=ALL MaxTime=2:00:00 PriorityTier=2
"""
NODE = "NodeName={name} NodeHostname=localhost NodeAddr=127.0.0.1 Port={port} CPUs={cpus} RealMemory={memory} State=UNKNOWN\n"  # noqa: E501  # Slurm wants it on one line


class Trouble(Exception):
    """What went wrong and what to do, for the person at the terminal."""


@dataclass(frozen=True)
class Shape:
    """How big the cluster is; `memory` in MB and `cpus` are those of one node.

    They are what Slurm shares out, and may be more than the machine has.
    """

    nodes: int = 3
    cpus: int = 2
    memory: int = 4000
    node_timeout: int = 5


class Cluster:
    """A cluster in a folder, running or not."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.conf = self.folder / "slurm.conf"

    @classmethod
    def lay_out(cls, folder: Path, shape: Shape) -> Cluster:
        """Write the configuration of a new cluster into `folder`, on ports that are free now."""
        cluster = cls(folder)
        for part in ("state", "log", "spool"):
            (cluster.folder / part).mkdir(parents=True, mode=0o755)
        munge = cluster.folder / "munge"
        munge.mkdir(mode=0o711)
        (munge / "key").touch(mode=0o600)
        (munge / "key").write_bytes(secrets.token_bytes(128))
        controller_port, *ports = find_free_ports(shape.nodes + 1)
        text = CONFIG.format(
            folder=cluster.folder,
            user=user_name(),
            controller_port=controller_port,
            node_timeout=shape.node_timeout,
        )
        for number, port in enumerate(ports, 1):
            text += NODE.format(name=f"n{number}", port=port, cpus=shape.cpus, memory=shape.memory)
        cluster.conf.write_text(text, encoding="utf-8")
        return cluster

    @property
    def nodes(self) -> list[str]:
        """The nodes' names."""
        lines = self.conf.read_text(encoding="utf-8").splitlines()
        return [line.split()[0].partition("=")[2] for line in lines if line.startswith("NodeName")]

    @property
    def daemons(self) -> list[str]:
        """Every daemon, in the order of starting."""
        return [MUNGED, CONTROLLER, *self.nodes]

    @property
    def environment(self) -> dict[str, str]:
        """What Slurm's commands need to find this cluster."""
        return {"SLURM_CONF": str(self.conf)}

    def start(self, daemons: Sequence[str] = ()) -> None:
        """Start what does not run, and wait until the nodes concerned take jobs.

        Raises:
            Trouble: a daemon did not start; the message has the end of its log.
        """
        for daemon in daemons or self.daemons:
            if self.find_process(daemon) is None:
                self._launch(daemon)
                self._await_life(daemon)
        nodes = [name for name in daemons or self.daemons if name in self.nodes]
        if CONTROLLER in (daemons or self.daemons):
            wait_until(lambda: self.ask("scontrol", "ping") is not None, self._explain(CONTROLLER))
        for node in nodes:
            wait_until(partial(self._takes_jobs, node), self._explain(node))

    def stop(self) -> None:
        """End all jobs and every process of this cluster."""
        if self.find_process(CONTROLLER):
            self.ask("scancel", "--user", user_name())
        for node in self.nodes:
            self.kill(node)
        for daemon in (CONTROLLER, MUNGED):
            self.end(daemon)

    def end(self, daemon: str) -> None:
        """Ask one daemon to end, and see that it does. Jobs on a node go on without its slurmd."""
        process = self.find_process(daemon)
        if process is not None:
            end_process(process, signal.SIGTERM)
        self._process_file(daemon).unlink(missing_ok=True)

    def kill(self, node: str) -> None:
        """Kill a node's slurmd and all that runs on the node, as if its power had gone."""
        # Stopped first, so that nothing is forked and nobody notices the end of another.
        stopped: set[int] = set()
        while new := self._find_on_node(node) - stopped:
            for pid in new:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
            stopped |= new
        for pid in stopped:
            end_process(pid, signal.SIGKILL)
        self._process_file(node).unlink(missing_ok=True)

    def find_process(self, daemon: str) -> int | None:
        """Return the id of a daemon's process, or None where it does not run."""
        try:
            pid, started = json.loads(self._process_file(daemon).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return pid if read_start(pid) == started else None

    def find_jobs(self) -> dict[int, str]:
        """Return the processes that watch over a job each, with the name of its node."""
        return {
            pid: place.parent.name
            for pid in find_processes()
            if (job := self._job_of(pid)) is not None
            for place in (self.folder / "spool").glob(f"*/*_{job}.*")
        }

    def ask(self, *command: str) -> str | None:
        """Return what a command of Slurm's says about this cluster, or None where it fails."""
        environment = {"PATH": search_path(), **self.environment}
        try:
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=PATIENCE
            )
        except subprocess.TimeoutExpired:
            return None
        return done.stdout if done.returncode == 0 else None

    def tell(self) -> Iterator[str]:
        """Yield one line for each daemon, then what Slurm says."""
        for daemon in self.daemons:
            pid = self.find_process(daemon)
            yield f"{daemon:10} {f'process {pid}' if pid else 'does not run'}"
        if self.find_process(CONTROLLER):
            yield self.ask("sinfo", "--Node", "--long") or "The controller does not answer."
            yield self.ask("squeue", "--states=all") or ""

    def _process_file(self, daemon: str) -> Path:
        return self.folder / f"{daemon}.process"

    def _command(self, daemon: str) -> list[str]:
        if daemon == MUNGED:
            munge = self.folder / "munge"
            # --force: the folder may stand below one that others may write to, as /tmp.
            return [
                *("munged", "--foreground", "--force", f"--key-file={munge / 'key'}"),
                *(f"--socket={munge / 'socket'}", f"--pid-file={munge / 'pid'}"),
                *(f"--log-file={self.folder / 'log' / 'munged'}", f"--seed-file={munge / 'seed'}"),
            ]
        if daemon == CONTROLLER:
            return ["slurmctld", "-D", "-f", str(self.conf)]
        return ["slurmd", "-D", "-N", daemon, "-f", str(self.conf)]

    def _launch(self, daemon: str) -> None:
        with (self.folder / "log" / f"{daemon}.start").open("ab") as log:
            process = subprocess.Popen(
                self._command(daemon),
                env={"PATH": search_path(), **self.environment},
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        note = json.dumps([process.pid, read_start(process.pid)])
        self._process_file(daemon).write_text(note, encoding="utf-8")

    def _await_life(self, daemon: str) -> None:
        if daemon == MUNGED:
            socket_file = self.folder / "munge" / "socket"
            wait_until(socket_file.exists, self._explain(daemon))
        if self.find_process(daemon) is None:
            raise Trouble(self._explain(daemon)())

    def _takes_jobs(self, node: str) -> bool:
        if self.find_process(node) is None:
            raise Trouble(self._explain(node)())
        told = self.ask("sinfo", "--noheader", f"--nodes={node}", "--format=%t") or ""
        return set(told.split()) <= {"idle", "mix", "alloc"} and bool(told)

    def _explain(self, daemon: str) -> Callable[[], str]:
        def read() -> str:
            logs = (self.folder / "log" / name for name in (daemon, f"{daemon}.start"))
            ends = [
                log.read_text(encoding="utf-8", errors="replace")[-2000:]
                for log in logs
                if log.exists()
            ]
            return f"{daemon} does not come up. The end of its log:\n" + "\n".join(ends)

        return read

    def _job_of(self, pid: int) -> str | None:
        """Return the id of the job that this process watches over for this cluster, if it does."""
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except OSError:
            return None
        found = re.match(rb"slurmstepd: \[(\d+)\.", command)
        ours = f"SLURM_CONF={self.conf}".encode() in environment
        return found[1].decode() if found and ours else None

    def _find_on_node(self, node: str) -> set[int]:
        """Return slurmd, the processes that watch over jobs, and all descendants of either."""
        found = {pid for pid, place in self.find_jobs().items() if place == node}
        if slurmd := self.find_process(node):
            found.add(slurmd)
        pending = list(found)
        while pending:
            children = find_children(pending.pop())
            pending += [child for child in children if child not in found]
            found.update(children)
        return found


def find_free_ports(count: int) -> list[int]:
    """Return ports on which nobody listens now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def user_name() -> str:
    """Return the name of the account that this process has."""
    return pwd.getpwuid(os.geteuid()).pw_name


def search_path() -> str:
    """Return where programs are looked for; Debian's daemons are in sbin."""
    return os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/bin", "/bin"])


def find_missing() -> list[str]:
    """Return the Debian packages that are not installed."""
    wanted = {"munged": "munge", "slurmctld": "slurm-wlm", "slurmd": "slurm-wlm"}
    missing = {
        package
        for program, package in wanted.items()
        if shutil.which(program, path=search_path()) is None
    }
    return sorted(missing)


def find_processes() -> list[int]:
    """Return the ids of all processes of this machine."""
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def find_children(pid: int) -> list[int]:
    """Return the children of a process."""
    children: list[int] = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # gone meanwhile
            children += map(int, file.read_text(encoding="ascii").split())
    return children


def read_start(pid: int) -> str | None:
    """Return when a process started, which tells it from a later one with its id; None if gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else fields[19]


def end_process(pid: int, how: signal.Signals) -> None:
    """Signal a process, and wait until it is gone; kill it where it does not mind."""
    started = read_start(pid)
    for sent in (how, signal.SIGKILL):
        if started is None or read_start(pid) != started:
            return
        try:
            os.kill(pid, sent)
            wait_until(lambda: read_start(pid) != started, lambda: "", PATIENCE / 4)
        except ProcessLookupError:
            return
        except Trouble:
            continue


def wait_until(
    condition: Callable[[], bool], explain: Callable[[], str], seconds: float = PATIENCE
) -> None:
    """Wait for a condition.

    Raises:
        Trouble: it did not come true in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Trouble(explain())
        time.sleep(0.05)


def tell(line: str) -> None:
    """Say something to the person at the terminal."""
    sys.stdout.write(f"{line}\n")


def start(chosen: argparse.Namespace) -> None:
    """Make the cluster where it is not there yet, and start what does not run."""
    if missing := find_missing():
        raise Trouble(f"Not installed: {', '.join(missing)}. Run: apt-get install slurm-wlm munge")
    folder = chosen.folder or Path(tempfile.mkdtemp(prefix="slurm-"))
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)  # munge wants its socket where everybody may go
    cluster = Cluster(folder)
    if not cluster.conf.exists():
        shape = Shape(chosen.nodes, chosen.cpus, chosen.memory, chosen.node_timeout)
        cluster = Cluster.lay_out(folder, shape)
    cluster.start([chosen.daemon] if chosen.daemon else [])
    tell(f"{len(cluster.nodes)} nodes are up. Folder: {cluster.folder}")
    tell(f"To use them:  export SLURM_CONF={cluster.conf}")


def stop(chosen: argparse.Namespace) -> None:
    """End the cluster, or one daemon of it."""
    cluster = find_cluster(chosen.folder)
    if chosen.daemon:
        cluster.end(chosen.daemon)
        tell(f"{chosen.daemon} is stopped. `start {chosen.folder} {chosen.daemon}` starts it.")
        return
    cluster.stop()
    if chosen.remove:
        shutil.rmtree(cluster.folder)
    tell("Every process of the cluster has ended.")


def kill(chosen: argparse.Namespace) -> None:
    """Kill a node with all that runs on it."""
    cluster = find_cluster(chosen.folder)
    if chosen.node not in cluster.nodes:
        raise Trouble(f"There is no node {chosen.node}; there are {', '.join(cluster.nodes)}.")
    cluster.kill(chosen.node)
    tell(f"{chosen.node} is gone. Slurm notices within seconds; `start` brings it back.")


def status(chosen: argparse.Namespace) -> None:
    """Say which daemons run and what Slurm says of nodes and jobs."""
    for line in find_cluster(chosen.folder).tell():
        tell(line)


def env(chosen: argparse.Namespace) -> None:
    """Print what a shell needs to use the cluster."""
    for name, value in find_cluster(chosen.folder).environment.items():
        tell(f"export {name}={shlex.quote(value)}")


def find_cluster(folder: Path) -> Cluster:
    """Return the cluster of a folder.

    Raises:
        Trouble: there is none.
    """
    cluster = Cluster(folder)
    if not cluster.conf.exists():
        raise Trouble(f"{folder} holds no cluster. `cluster.py start {folder}` makes one there.")
    return cluster


def read_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the command line; `act` is the function to call."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for act in (start, stop, status, kill, env):
        command = commands.add_parser(act.__name__, help=act.__doc__, description=act.__doc__)
        command.set_defaults(act=act)
        optional = "?" if act is start else None
        command.add_argument("folder", type=Path, nargs=optional, help="the cluster's folder")
        if act is kill:
            command.add_argument("node", help="its name, as n1")
        if act in (start, stop):
            command.add_argument(
                "daemon", nargs="?", help="munged, slurmctld, n1, …: only this one"
            )
        if act is stop:
            command.add_argument("--remove", action="store_true", help="and remove the folder")
        if act is start:
            shape = Shape()
            for name, help_ in (
                ("nodes", "how many nodes"),
                ("cpus", "processors of a node, as Slurm counts them"),
                ("memory", "MB of a node"),
                ("node-timeout", "seconds after which a silent node is given up"),
            ):
                value = getattr(shape, name.replace("-", "_"))
                command.add_argument(
                    f"--{name}", type=int, default=value, help=f"{help_} ({value})"
                )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says; 1 where that did not work."""
    chosen = read_arguments(arguments)
    try:
        chosen.act(chosen)
    except Trouble as trouble:
        sys.stderr.write(f"{trouble}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
