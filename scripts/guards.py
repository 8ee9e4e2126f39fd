#!/usr/bin/env python3
"""Compares what the functions take with what is kept in docs/performance/guards.json, without looking at a clock.

    guards.py --built .aws-sam/build --server target/debug/polygate     UPDATE_GUARDS=1 keeps what is measured now

- Instructions, counted by callgrind: from exec to the first answer, and for each further one, of the paths that are asked
  most. They play against the development server, as for `just cold-start`, and may be 3 % more or less than kept.
- The zip that `sam deploy` would upload of each function, within 3 %.
- Crates that each function links; as many as kept, and aws-lc neither among them nor in the binary.

The kept numbers are those of `just build`, which does without link-time optimisation. What is deployed is smaller and quicker: for
its limits see docs/performance.md. Less than kept fails, too, so that what was won is kept. Round trips and capacity units
are tests: tests/conversations/round_trips.rs, tests/budgets. Last come the tests of the test. Without valgrind, instructions
are passed over, and that is said.
"""

import argparse
import copy
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import uuid

from cold_start import Failure, development_server, ended_session, gateway_event, http
from runtime_api import Broken, Function

ROOT = pathlib.Path(__file__).resolve().parent.parent
KEPT = ROOT / "docs/performance/guards.json"
WORK = ROOT / "target/guards"
GROUPS = ["login", "register", "refresh", "profile", "admin", "bounces"]
MARGIN = 0.03
# Further answers that are counted after the first.
FURTHER = 4
PASSWORD = "a long enough password"
# What only that library has: paths of its sources in its assertions, and its symbols.
FOREIGN = re.compile(rb"aws-lc-(?:rs|sys)[-/]|aws-lc/crypto|aws_lc_[0-9]")


# ---- instructions -------------------------------------------------------------------------------------------------------


class Invoked:
    """A function under callgrind, which is given one event after the other."""

    def __init__(self, binary, settings, profile):
        self.profile = profile
        command = [shutil.which("valgrind"), "--tool=callgrind", f"--callgrind-out-file={profile}", binary]
        self.function = Function(command, settings, limit=120)

    def __enter__(self):
        self.function.__enter__()
        return self

    def __exit__(self, *failed):
        self.function.__exit__(*failed)

    def ask(self, event):
        """What it answers, once it asks for the next event."""
        answer = self.function.ask(event)
        self.function.rest()
        return json.loads(answer)

    def counted(self):
        """Ends it; its instructions."""
        self.function.stop(signal.SIGTERM)
        found = re.search(r"^(?:totals|summary): (\d+)", self.profile.read_text(), re.MULTILINE)
        if not found:
            raise Failure(f"{self.function.command[-1]} left no count")
        return int(found[1])


def event(method, path, token=None, body=None):
    made = gateway_event(method, path, {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {}))
    return made if body is None else made | {"body": json.dumps(body)}


def kite(base, path, body, expect):
    status, answer = http(f"{base}/kite/api/v1/{path}", body, timeout=60)
    if status != expect:
        raise Failure(f"POST /kite/api/v1/{path} answered {status} and not {expect}: {answer[:500]!r}")
    return json.loads(answer)["data"]


def paths(base):
    """By name: the function, what it is asked (given its last answer), and the status that it answers."""
    name = "guard" + uuid.uuid4().hex[:12]
    kite(base, "auth/register", {"username": name, "email": f"{name}@example.com", "password": PASSWORD}, 201)
    credentials = {"username": name, "password": PASSWORD}
    token = kite(base, "auth/login", credentials, 200)["access_token"]
    ended = ended_session(base)

    def signed_in():
        return kite(base, "auth/login", credentials, 200)["refresh_token"]

    def refresh(last):
        held = json.loads(last["body"])["data"]["refresh_token"] if last else signed_in()
        return event("POST", "/kite/api/v1/auth/refresh", body={"refresh_token": held})

    def register(_):
        other = "guard" + uuid.uuid4().hex[:12]
        return event("POST", "/kite/api/v1/auth/register", body={"username": other, "email": f"{other}@example.com", "password": PASSWORD})

    return {
        "sign in": ("login", lambda _: event("POST", "/kite/api/v1/auth/login", body=credentials), 200),
        "sign out, the session ended before": ("login", lambda _: event("POST", "/kite/api/v1/auth/logout", ended), 401),
        "register": ("register", register, 201),
        "verify a token": ("refresh", lambda _: event("GET", "/sproutgate/api/auth/verify", token), 200),
        "refresh": ("refresh", refresh, 200),
        "read the profile": ("profile", lambda _: event("GET", "/kite/api/v1/profile", token), 200),
        "list accounts, of an ordinary person": ("admin", lambda _: event("GET", "/kite/api/v1/admin/users", token), 403),
    }


def count(binary, settings, path, further):
    """Instructions from exec to the last of one and `further` answers."""
    what, (_, ask, expect) = path
    profile = WORK / (re.sub(r"\W+", "-", what) + f"-{further}.callgrind")
    with Invoked(binary, settings, profile) as function:
        answer = None
        for _ in range(1 + further):
            answer = function.ask(ask(answer))
            if answer.get("statusCode") != expect:
                raise Failure(f"{what}: answered {answer.get('statusCode')} and not {expect}: {json.dumps(answer)[:500]}")
        return function.counted()


def instructions(built, server):
    found = {}
    with development_server(server) as (base, settings):
        settings |= {"PATH": os.environ["PATH"], "MAIL_FROM": settings.get("MAIL_FROM", "no-reply@example.com")}
        for path in paths(base).items():
            binary = str(built[path[1][0]])
            first, more = count(binary, settings, path, 0), count(binary, settings, path, FURTHER)
            found[path[0]] = {"to the first answer": first, "each further answer": (more - first) // FURTHER}
            print(f"  {path[0]:36} {first:>12,} to the first answer, {found[path[0]]['each further answer']:>12,} each further", flush=True)
    return found


# ---- zips and crates ----------------------------------------------------------------------------------------------------


def zipped(directory):
    from samcli.lib.package.utils import make_zip_with_lambda_permissions, zip_folder

    with zip_folder(directory, zip_method=make_zip_with_lambda_permissions) as (name, _):
        return pathlib.Path(name).stat().st_size


def crates(group):
    command = ["cargo", "tree", "--locked", "--package", group, "--edges", "normal", "--prefix", "none"]
    told = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    return {" ".join(line.split()[:2]) for line in told.splitlines() if line.strip()}


def check_foreign(group, linked, binary):
    if found := sorted(name for name in linked if name.startswith("aws-lc")):
        raise Failure(f"{group} links {found}")
    if found := FOREIGN.search(binary):
        raise Failure(f"{group}'s binary has {found[0].decode()!r} in it")


# ---- comparing ----------------------------------------------------------------------------------------------------------


def numbers(measured, at=()):
    """Every number with the names that lead to it."""
    for name, value in measured.items():
        if isinstance(value, dict):
            yield from numbers(value, (*at, name))
        else:
            yield (*at, name), value


def differences(kept, measured):
    """What is not as kept: crates exactly, all else within the margin."""
    was, now = dict(numbers(kept)), dict(numbers(measured))
    for at in sorted(was.keys() | now.keys()):
        if at not in was or at not in now:
            yield f"{', '.join(at)}: {'not kept yet' if at in now else 'kept, and not measured'}"
            continue
        off = (now[at] - was[at]) / was[at]
        if abs(off) > (0 if at[0] == "crates" else MARGIN):
            yield f"{', '.join(at)}: {now[at]:,} and not {was[at]:,} ({off:+.1%})"


def worse(measured):
    """The tests of the test: each number a little off, both ways, one missing, and the library that must not be there."""
    tried = 0
    for at, value in numbers(measured):
        for factor in (0.95, 1.05):
            other = copy.deepcopy(measured)
            inner = other
            for name in at[:-1]:
                inner = inner[name]
            inner[at[-1]] = round(value * factor)
            tried += 1
            if [one.split(":")[0] for one in differences(other, measured)] != [", ".join(at)]:
                raise Failure(f"not found out: {at} off by {factor}")
    if not list(differences(measured, {})):
        raise Failure("not found out: nothing is measured")
    for linked, binary in [({"aws-lc-rs v1.0.0"}, b""), (set(), b"/aws-lc-sys-0.30.0/aws-lc/crypto/mem.c"), (set(), b"\0aws_lc_0_30_0_EVP_sha1\0")]:
        tried += 1
        try:
            check_foreign("login", linked, binary)
        except Failure:
            continue
        raise Failure(f"not found out: {linked} {binary}")
    if list(differences(measured, measured)):
        raise Failure("numbers differ from themselves")
    return tried


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--built", type=pathlib.Path, required=True, help="where `sam build` put the functions")
    parser.add_argument("--server", required=True, help="the development server's binary")
    options = parser.parse_args()
    try:
        folders = {group: options.built / f"{group.capitalize()}Function" for group in GROUPS}
        built = {group: folder / "bootstrap" for group, folder in folders.items()}
        if missing := [str(file) for file in [*built.values(), pathlib.Path(options.server)] if not os.access(file, os.X_OK)]:
            raise Failure(f"not there: {', '.join(missing)}; `just build` makes the functions")
        shutil.rmtree(WORK, ignore_errors=True)
        WORK.mkdir(parents=True)
        measured = {"zip in bytes": {}, "crates": {}}
        for group in GROUPS:
            linked = crates(group)
            check_foreign(group, linked, built[group].read_bytes())
            measured["zip in bytes"][group], measured["crates"][group] = zipped(folders[group]), len(linked)
            print(f"  {group:9} a zip of {measured['zip in bytes'][group] / 1e6:.2f} MB, {len(linked)} crates, no aws-lc", flush=True)
        kept = json.loads(KEPT.read_text()) if KEPT.is_file() else {}
        if shutil.which("valgrind"):
            measured["instructions"] = instructions(built, options.server)
        else:
            subprocess.run([ROOT / "scripts/skipped", "instructions were not counted", "valgrind is missing: install it and run this again"], check=True)
            kept.pop("instructions", None)
        if os.environ.get("UPDATE_GUARDS"):
            if "instructions" not in measured:
                raise Failure("nothing is kept without instructions")
            KEPT.write_text(json.dumps(measured, indent=2) + "\n")
            print(f"guards: kept in {KEPT.relative_to(ROOT)}")
            return 0
        if found := list(differences(kept, measured)):
            advice = "mend it, or keep what is measured by UPDATE_GUARDS=1 just guards, and tell why in the commit"
            raise Failure("\n  ".join(["not as kept:", *found]) + f"\n{advice}")
        print(f"guards: all as kept within {MARGIN:.0%}, crates exactly. Found out: {worse(measured)} planted changes")
        return 0
    except (Failure, Broken, OSError, ValueError, subprocess.SubprocessError) as failure:
        print(f"guards: {failure}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
