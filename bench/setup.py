"""What the bench needs: our binaries as they are deployed, and the peers at pinned versions in a scratch folder."""

import filecmp
import os
import shutil
import subprocess
import sys

from .common import BUILT, PEERS, ROOT, WORK, Failure, run, say

FUNCTIONS = ["login", "register", "refresh", "profile", "admin"]


def everything():
    WORK.mkdir(parents=True, exist_ok=True)
    tools()
    build()
    node()
    python()
    strip()


def tools():
    for tool, why in [("taskset", "util-linux"), ("valgrind", "valgrind"), ("node", "Node 20 or newer"), ("npm", "Node"), ("strip", "binutils")]:
        if not shutil.which(tool):
            raise Failure(f"{tool} is missing: install {why}")


def build():
    say("building as deployed, link-time optimised: some minutes where it is not built yet")
    # The functions without the development server, as `sam build` has them: what common dependencies have in them depends on that.
    for packages in (FUNCTIONS, ["polygate"]):
        subprocess.run(["cargo", "build", "--profile", "measured", "--bins", *(f"--package={name}" for name in packages)], cwd=ROOT, check=True)
    named = os.environ | {"CARGO_PROFILE_RELEASE_STRIP": "none", "CARGO_PROFILE_RELEASE_DEBUG": "line-tables-only"}
    for name, folder in (("floor", "scripts/floor"), ("driver", "bench/driver")):
        one = ["cargo", "build", "--release", "--locked", "--manifest-path", f"{folder}/Cargo.toml", "--target-dir", WORK / name]
        subprocess.run(one, cwd=ROOT, env=named, check=True)


def node():
    """The peers of npm, and our few lines that make servers of them."""
    folder = WORK / "node"
    folder.mkdir(exist_ok=True)
    installed = folder / "installed.json"
    if not installed.is_file() or not filecmp.cmp(PEERS / "package-lock.json", installed, shallow=False):
        say("installing the peers of npm")
        for name in ("package.json", "package-lock.json"):
            shutil.copy(PEERS / name, folder)
        run(["npm", "ci", "--no-audit", "--no-fund"], cwd=folder)
        shutil.copy(PEERS / "package-lock.json", installed)
    for file in [*PEERS.glob("*.mjs"), *PEERS.glob("*.py")]:
        shutil.copy(file, folder)


def python():
    """Those of PyPI."""
    folder, wanted = WORK / "python", PEERS / "requirements.txt"
    installed = folder / "installed.txt"
    if installed.is_file() and filecmp.cmp(wanted, installed, shallow=False):
        return
    say("installing the peers of PyPI")
    run([sys.executable, "-m", "venv", "--clear", folder])
    run([folder / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "-r", wanted])
    shutil.copy(wanted, installed)


def strip():
    """What is deployed has no names of functions in it."""
    folder = WORK / "stripped"
    folder.mkdir(exist_ok=True)
    built_by_name = {name: BUILT / name for name in ["polygate", *FUNCTIONS]} | {"floor": WORK / "floor/release/floor"}
    for name, built in built_by_name.items():
        stripped = folder / name
        if not stripped.is_file() or stripped.stat().st_mtime < built.stat().st_mtime:
            run(["strip", "-o", stripped, built])


def report():
    subprocess.run([ROOT / "scripts/with_charts", "../bench/report.py"], cwd=ROOT, check=True, env=os.environ)
