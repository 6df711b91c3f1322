"""A SLURM of one node on this machine, for tests: real daemons on 127.0.0.1, real scheduling, pretend GPUs.

Needs root, Debian's packages slurmctld, slurmd, slurm-client and munge, and no other SLURM here. Without
cgroups, memory is watched by SLURM's own accounting, which ends jobs that use more than they asked for.
"""

import os
import shutil
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol")
ETC = Path("/etc/slurm")
PORTS = {"SlurmctldPort": 16817, "SlurmdPort": 16818}
PATIENCE = 60.0  # seconds for daemons to come up or go


def missing() -> list[str]:
    """What is missing to start a cluster here, in words; empty if nothing is."""
    found = [f"the program {name}" for name in PROGRAMS if shutil.which(name) is None]
    if os.geteuid() != 0:
        found.append("root")
    if (ETC / "slurm.conf").exists() and not (ETC / "slurm.conf").is_symlink():
        found.append("a machine without a SLURM of its own")
    return found


class Cluster:
    """Daemons whose state lies in `folder`, with `gpus` pretend GPUs (null devices)."""

    def __init__(self, folder: Path, gpus: int) -> None:
        self.folder, self.gpus, self.node = folder, gpus, socket.gethostname().split(".")[0]
        self.daemons: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        for name in ("ctld", "node", "log", "munge"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)
        (self.folder / "munge").chmod(0o711)
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        self._write_configuration()
        ETC.mkdir(exist_ok=True)
        for name in ("slurm.conf", "gres.conf", "cgroup.conf"):  # job steps look nowhere else
            (ETC / name).unlink(missing_ok=True)
            (ETC / name).symlink_to(self.folder / name)
        files = {"key": key, "pid": self.folder / "munged.pid", "seed": self.folder / "munge.seed"}
        files |= {"log": self.folder / "log/munged.log"}
        options = [f"--{name}-file={path}" for name, path in files.items()]
        self._daemon("munged", "--foreground", "--force", f"--socket={self._socket}", *options)
        self._until(self._socket.exists, "munged makes its socket")
        self._daemon("slurmctld", "-D")
        self._daemon("slurmd", "-D", "-N", self.node)
        self._until(lambda: "idle" in run("sinfo", "-h", "-o", "%T", check=False), "the node is idle")

    def stop(self) -> None:
        run("scancel", "-Q", "--user=root", check=False)
        for name in ("slurmd", "slurmctld", "munged"):
            if name in self.daemons:
                self.daemons[name].send_signal(signal.SIGTERM)
                try:
                    self.daemons[name].wait(PATIENCE / 4)
                except subprocess.TimeoutExpired:
                    self.daemons[name].kill()
        for name in ("slurm.conf", "gres.conf", "cgroup.conf"):
            if (ETC / name).is_symlink() and (ETC / name).readlink() == self.folder / name:
                (ETC / name).unlink()

    @property
    def _socket(self) -> Path:
        return self.folder / "munge" / "socket"

    def _daemon(self, name: str, *arguments: str) -> None:
        log = open(self.folder / "log" / f"{name}.out", "ab")  # noqa: SIM115
        # It has a session of its own: Ctrl-C ends the tests, which then end the daemons in order.
        self.daemons[name] = subprocess.Popen(
            [name, *arguments], stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )

    def _until(self, true, what: str) -> None:
        end = time.monotonic() + PATIENCE
        while not true():
            dead = [name for name, daemon in self.daemons.items() if daemon.poll() is not None]
            if dead or time.monotonic() > end:
                logs = "\n".join(
                    path.read_text(errors="replace")[-800:] for path in (self.folder / "log").iterdir()
                )
                raise RuntimeError(f"waited in vain until {what} (ended: {dead}):\n{logs}")
            time.sleep(0.2)

    def _write_configuration(self) -> None:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20 * 9 // 10
        devices = []
        for number in range(self.gpus):
            path = self.folder / f"gpu{number}"
            if not path.exists():
                os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))
            devices.append(f"Name=gpu Type=pretend File={path}")
        settings = {
            "ClusterName": "test", "SlurmctldHost": f"{self.node}(127.0.0.1)", "SlurmUser": "root",
            "AuthType": "auth/munge", "AuthInfo": f"socket={self._socket}", "CredType": "cred/munge", **PORTS,
            "CommunicationParameters": "NoInAddrAny,NoCtldInAddrAny",
            "StateSaveLocation": self.folder / "ctld", "SlurmdSpoolDir": self.folder / "node",
            "SlurmctldPidFile": self.folder / "ctld.pid", "SlurmdPidFile": self.folder / "node.pid",
            "SlurmctldLogFile": self.folder / "log/slurmctld.log",
            "SlurmdLogFile": self.folder / "log/slurmd.log",
            "ProctrackType": "proctrack/pgid", "TaskPlugin": "task/none",
            "MpiDefault": "none", "SwitchType": "switch/none",
            "SelectType": "select/cons_tres", "SelectTypeParameters": "CR_Core_Memory", "DefMemPerCPU": 512,
            "SlurmdParameters": "config_overrides", "ReturnToService": 2, "EnforcePartLimits": "ALL",
            "SchedulerParameters": "batch_sched_delay=0,sched_min_interval=200000",
            "MinJobAge": 7200, "KillWait": 30,
            "JobAcctGatherType": "jobacct_gather/linux", "JobAcctGatherFrequency": 2,
            "JobAcctGatherParams": "OverMemoryKill",
            "AccountingStorageType": "accounting_storage/none", "GresTypes": "gpu",
        }  # fmt: skip
        lines = [f"{key}={value}" for key, value in settings.items()]
        lines += [
            f"NodeName={self.node} NodeAddr=127.0.0.1 CPUs={os.cpu_count()} RealMemory={memory} "
            f"Gres=gpu:pretend:{self.gpus} State=UNKNOWN",
            f"PartitionName=main Nodes={self.node} Default=YES MaxTime=24:00:00 DefaultTime=60 State=UP",
        ]
        (self.folder / "slurm.conf").write_text("\n".join(lines) + "\n")
        (self.folder / "gres.conf").write_text("\n".join(devices) + "\n")
        (self.folder / "cgroup.conf").write_text("ConstrainRAMSpace=no\n")


def run(*command: str, check: bool = True) -> str:
    """What a command of SLURM prints."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def jobs() -> list[dict[str, str]]:
    """All jobs that the controller remembers, each as the fields that `scontrol show job` prints."""
    found = []
    for block in run("scontrol", "-o", "show", "jobs").splitlines():
        fields = dict(field.split("=", 1) for field in block.split() if "=" in field)
        if "JobId" in fields:
            found.append(fields)
    return found


@contextmanager
def cluster(folder: Path, gpus: int = 2) -> Iterator[Cluster]:
    made = Cluster(folder, gpus)
    try:
        made.start()
        yield made
    finally:
        made.stop()
