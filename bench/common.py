"""What the stages of the bench share: places, processes, a process's processor time and memory, and results as data."""

import contextlib
import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from programs import Failure, ended, free_port  # noqa: E402, F401

PEERS = ROOT / "bench/peers"
# What is measured, and kept in a file each.
STAGES = ["cold", "work", "hash", "throughput", "growth", "cost"]
# The requests, for readers.
NAMES = {"verify": "verify a token", "verify_new": "verify a new token", "me": "read the profile", "refresh": "refresh", "login": "sign in", "register": "register"}
# Where cargo puts its target folder. What the bench installs and writes while it runs stays in the repository's own.
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
WORK = ROOT / "target/bench"
RESULTS = ROOT / "docs/performance"
BUILT = TARGET / "measured"
# What is measured runs on the first processor, what measures on the last.
SERVER_CPU, CLIENT_CPU = 0, (os.cpu_count() or 1) - 1
BEGAN = time.monotonic()


def say(text):
    print(f"[{time.monotonic() - BEGAN:5.0f} s] {text}", flush=True)


def keep(stage, quick, result):
    """Writes a stage's result beside the report."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    result = {"stage": stage, "quick": quick, "at": datetime.date.today().isoformat(), "commit": told_by("git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12"), "machine": machine(), **result}
    (RESULTS / f"{stage}.json").write_text(json.dumps(result, indent=1) + "\n")


def kept(stage, folder=None):
    file = (folder or RESULTS) / f"{stage}.json"
    if not file.is_file():
        raise Failure(f"{file} isn't there: run `just bench --only {stage}` first")
    return json.loads(file.read_text())


def kept_all(folder=None):
    """The result of each stage, by its name."""
    return {stage: kept(stage, folder) for stage in STAGES}


def told_by(*command):
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def machine():
    """What it was measured on."""
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": model,
        "processors": os.cpu_count(),
        "memory_gib": round(memory),
        "kernel": platform.release(),
        "rust": told_by("rustc", "--version").removeprefix("rustc ").split(" ")[0],
        "node": told_by("node", "--version").removeprefix("v"),
        "python": platform.python_version(),
    }


def run(command, **options):
    """Runs to its end; what it said is shown only where it fails."""
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode:
        raise Failure(f"{' '.join(map(str, command))} failed:\n{done.stdout[-4000:]}")
    return done.stdout


def on_processor(processor, command):
    return ["taskset", "-c", str(processor), *map(str, command)]


@contextlib.contextmanager
def process(command, log, **options):
    """A process until the end of the block; its output goes to a file."""
    with open(log, "wb") as file:
        with ended(subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=file, stderr=file, **options)) as started:
            yield started


def processor_seconds(pid):
    """What a process has used of processors, all its threads and those that have ended included."""
    # Linux makes the number of a process's clock out of its id: man 2 clock_getres.
    return time.clock_gettime((~pid << 3) | 2)


def memory_mib(pid):
    """(resident, most that was ever resident, its own of what is resident, pages of files of it)"""
    fields = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    return tuple(int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM", "RssAnon", "RssFile"))


def median(values):
    return statistics.median(values)


def spread(values):
    """Median, least and most."""
    return {"median": median(values), "least": min(values), "most": max(values), "rounds": list(values)}


def ratio(one, other):
    """How many times the other: the median of the ratios of each turn, since what else the machine did in a turn both had to bear."""
    return median([value / against for value, against in zip(one["rounds"], other["rounds"])])


def warn(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)
