#!/usr/bin/env python3
"""Tries `cargo lambda watch` and `cargo lambda invoke` against the development server's store.

Starts the development server with a store of its own, and `cargo lambda watch` with the settings that the server wrote
for it (lambda.env). Then

- invokes each function with the events of events/<contract>/ that the template routes to it, one per function and
  contract; every function must have one at least, and answer it with a status below 500 and a body;
- registers an account over HTTP through watch, by the router table of Cargo.toml, and signs it in at the server, and
  the other way round: both speak to one store;
- invokes the function that takes in reports of bounced mail, and signs in whom they name.

Only the standard library is used, and everything has a time limit.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import uuid

from cold_start import Failure, development_server, free_port, http

ROOT = pathlib.Path(__file__).resolve().parent.parent
CONTRACTS = ["kite", "zeaya", "sproutgate", "mcphub"]
GROUPS = ["login", "register", "refresh", "profile", "admin"]
# Settings that `cargo lambda` refuses a whole file for, unless they stand in quotes.
QUOTED = {"CONTRACT_HOSTS": "kite.example=kite,hub.example=mcphub", "MAIL_FROM": "Polygate <polygate@example.com>"}


def routes():
    """Path to function, as template.yaml has them."""
    found, path = {}, None
    for line in (ROOT / "template.yaml").read_text().splitlines():
        if match := re.match(r"\s+(/\S*):$", line):
            path = match[1]
        elif path and (match := re.search(r"x-amazon-apigateway-integrations/(\w+)'", line)):
            found[path], path = match[1], None
    if not found:
        raise Failure("template.yaml has no routes in the form this script reads")
    return found


def group_of(path, table):
    first, _, rest = path.removeprefix("/").partition("/")
    if first in CONTRACTS:
        path = "/" + rest
    for candidate, group in table.items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", re.escape(candidate).replace(r"\{", "{").replace(r"\}", "}")), path):
            return group
    return table["/$default"]


def events(table):
    """One event per function and contract, the first by name."""
    chosen = {}
    for file in sorted((ROOT / "events").glob("*/**/*.json")):
        contract = file.relative_to(ROOT / "events").parts[0]
        chosen.setdefault((group_of(json.loads(file.read_text())["rawPath"], table), contract), file)
    if missing := [group for group in GROUPS if not any(g == group for g, _ in chosen)]:
        raise Failure(f"no event under events/ is for {', '.join(missing)}")
    return sorted(chosen.items(), key=lambda item: GROUPS.index(item[0][0]))


@contextlib.contextmanager
def watch(env_file, wait):
    """`cargo lambda watch` on a free port, ended with everything it started."""
    port = free_port()
    command = ["cargo", "lambda", "watch", "--ignore-changes", "--wait", "-A", "127.0.0.1", "-P", str(port), "--env-file", str(env_file)]
    with tempfile.NamedTemporaryFile("w+", suffix=".log") as log:
        # A group of its own, so that the functions end with it.
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

        def words():
            return f"--- what cargo lambda watch wrote ---\n{pathlib.Path(log.name).read_text(errors='replace')[-6000:]}"

        try:
            end = time.monotonic() + wait
            while True:
                with contextlib.suppress(OSError):
                    http(f"http://127.0.0.1:{port}/_", timeout=2)
                    break
                if process.poll() is not None or time.monotonic() > end:
                    raise Failure("cargo lambda watch did not start\n" + words())
                time.sleep(0.2)
            try:
                yield port
            except (Failure, OSError) as failure:
                raise Failure(f"{failure}\n{words()}") from failure
        finally:
            for stop in (signal.SIGINT, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, stop)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(10)


def invoke(group, file, port, limit):
    command = ["cargo", "lambda", "invoke", group, "--data-file", str(file), "-A", "127.0.0.1", "-P", str(port)]
    try:
        done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=limit)
    except subprocess.TimeoutExpired:
        raise Failure(f"cargo lambda invoke {group} did not answer within {limit} s") from None
    name = file.relative_to(ROOT)
    if done.returncode:
        raise Failure(f"cargo lambda invoke {group} with {name} ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-2000:]}")
    try:
        answer = json.loads(done.stdout)
        status, body = answer["statusCode"], answer.get("body")
    except (ValueError, KeyError, TypeError):
        raise Failure(f"{group} answered {name} with something else than an answer for the gateway: {done.stdout[:1000]}") from None
    if not 200 <= status < 500 or not (body or status == 204):
        raise Failure(f"{group} answered {name} with {status}: {done.stdout[:1000]}")
    print(f"  invoke {group:9} {str(name):48} {status} {(body or '')[:60]}", flush=True)


def one_store(watched, server, limit):
    """An account made through either is there for the other."""
    for here, there, words in ((watched, server, "watch, signed in at the server"), (server, watched, "the server, signed in through watch")):
        name, password = "watch" + uuid.uuid4().hex[:12], "a long enough password"
        status, body = http(f"{here}/kite/api/v1/auth/register", {"username": name, "email": f"{name}@example.com", "password": password}, timeout=limit)
        if status != 201:
            raise Failure(f"registering at {here} answered {status}: {body[:500]!r}")
        status, body = http(f"{there}/zeaya/api/auth/login", {"username": name, "password": password}, timeout=limit)
        if status != 200:
            raise Failure(f"signing in at {there} answered {status}: {body[:500]!r}")
        print(f"  http   registered through {words}", flush=True)


def bounced(port, server, limit):
    """The sixth function takes in SES's reports; whose address they name is told at the next sign-in."""
    for report, code in (("bounce", "email_bounced"), ("complaint", "email_complained")):
        name, password = report + uuid.uuid4().hex[:12], "a long enough password"
        status, body = http(f"{server}/kite/api/v1/auth/register", {"username": name, "email": f"{name}@example.com", "password": password}, timeout=limit)
        if status != 201:
            raise Failure(f"registering answered {status}: {body[:500]!r}")
        event = (ROOT / f"events/ses-{report}.json").read_text().replace("anna@example.com", f"{name}@example.com")
        # A report of long ago would mark nobody.
        event = re.sub(r"2026-01-01T[0-9:.]+Z", time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()), event)
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write(event)
            file.flush()
            command = ["cargo", "lambda", "invoke", "bounces", "--data-file", file.name, "-A", "127.0.0.1", "-P", str(port)]
            done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=limit)
        if done.returncode or done.stdout.strip() != "null":
            raise Failure(f"bounces answered {done.stdout[:1000]} {done.stderr.strip()[-2000:]}")
        status, body = http(f"{server}/zeaya/api/auth/login", {"username": name, "password": password}, timeout=limit)
        if status != 200 or code.encode() not in body:
            raise Failure(f"after a {report} signing in answered {status}: {body[:500]!r}")
        print(f"  invoke bounces   events/ses-{report}.json, and the sign-in warns", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True, help="the development server's binary")
    parser.add_argument("--limit", type=int, default=120, help="seconds that one call may take, its compilation included")
    options = parser.parse_args()
    try:
        chosen = events(routes())
        with tempfile.TemporaryDirectory() as folder:
            data = pathlib.Path(folder)
            with development_server(options.server, settings=QUOTED, data=data) as (server, _), watch(data / "lambda.env", 120) as port:
                for (group, _), file in chosen:
                    invoke(group, file, port, options.limit)
                one_store(f"http://127.0.0.1:{port}", server, options.limit)
                bounced(port, server, options.limit)
        print(f"lambda: {len(chosen)} events over {len(GROUPS)} functions, one store behind both, and a sixth that takes in bounces")
        return 0
    except (Failure, OSError, ValueError, KeyError) as failure:
        print(f"lambda_local: {failure}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
