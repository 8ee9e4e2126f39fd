#!/usr/bin/env python3
"""Plays the Lambda runtime API to a function's binary, and times its start.

    cold_start.py compare --floor BIN --login BIN --server BIN   from exec to the first answered event, side by side
    cold_start.py invoke BIN EVENT.json [--env-file F]           one event, and what the binary answers

`compare` starts the development server, makes an account there, signs it in and out over HTTP, and gives the login
function a sign-out whose session has already ended, which it answers 401. What is measured is therefore

- one read while the function starts (its signing keys) and one batch read for the event (the session with its account);
- no write and no password hash, as a sign-in would have;
- all of it over plain HTTP to an engine on this machine: no TLS handshake, no network.

The floor is a bare lambda_http function that says hello (scripts/floor) and reads nothing. The two run in turns, so that
whatever else the machine does disturbs both alike. In the median of the turns,

    login <= 1.5 * floor + 5 ms

for what is deployed, or as many floors as --times says: a slower machine has less use of 5 ms. It must be kept in one
round: up to three are run, some seconds apart, the first that keeps the limit ends it, so the best of them counts. Only
the standard library is used.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid

from programs import Failure, ended, free_port
from runtime_api import Broken, Function

FACTOR, MARGIN_MS = 1.5, 5.0
PAUSE_S = 10
NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


# ---- one event ---------------------------------------------------------------------------------------------------


def play(binary, event, extra, expect=None):
    """Runs a binary on an event; the run and its answer, or a failure that shows the binary's own words."""
    run = Function([pathlib.Path(binary).resolve()], extra)
    name = pathlib.Path(binary).name

    def fail(what):
        raise Failure(f"{binary} {what}" + (f"\n--- what {name} wrote ---\n{run.log.strip()[-4000:]}" if run.log.strip() else ""))

    try:
        with run:
            told = run.ask(event)
    except Broken as broken:
        fail(broken)
    try:
        answer = json.loads(told)
    except ValueError:
        fail(f"answered something that is not JSON: {told[:500]!r}")
    if expect is not None and answer.get("statusCode") != expect:
        fail(f"answered {answer.get('statusCode')} and not {expect}: {json.dumps(answer)[:1000]}")
    return run, answer


def gateway_event(method, path, headers):
    """An event of API Gateway's payload format 2.0."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": "api.example.com", "x-forwarded-proto": "https", "x-forwarded-for": "192.0.2.1", **headers},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api",
            "domainName": "api.example.com",
            "domainPrefix": "api",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "cold-start"},
            "requestId": "request",
            "routeKey": "$default",
            "stage": "$default",
            "time": "01/Jan/2026:00:00:00 +0000",
            "timeEpoch": 1767225600000,
        },
        "isBase64Encoded": False,
    }


# ---- the development server, which the login function's store is --------------------------------------------------------


def read_env_file(path):
    """KEY=VALUE lines; empty lines and comments are passed over."""
    values = {}
    for number, line in enumerate(pathlib.Path(path).read_text().splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        key, equals, value = line.partition("=")
        if not equals:
            raise Failure(f"{path}:{number} is not KEY=VALUE")
        values[key.strip().removeprefix("export ")] = value.strip().strip("\"'")
    return values


def http(url, body=None, headers=None, timeout=10):
    """Status and body, also of an answer that is an error."""
    request = urllib.request.Request(url, data=None if body is None else json.dumps(body).encode(), headers={"Content-Type": "application/json", **(headers or {})})
    try:
        with NO_PROXY.open(request, timeout=timeout) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.read()


@contextlib.contextmanager
def development_server(binary, wait=60, settings=None, log_file=None, data=None):
    """A server with a store of its own, in memory unless a directory for it is named; its base URL and the environment that
    functions reach that store with, the C library's as deployed."""
    folder = data or pathlib.Path(tempfile.mkdtemp(prefix="polygate-"))
    port, log_file = free_port(), log_file or folder / "server.log"
    (folder / "lambda.env").unlink(missing_ok=True)
    with open(log_file, "w+b") as log:
        command = [binary, "--port", str(port), "--data", str(folder), *([] if data else ["--memory"])]
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ | (settings or {}))
        try:
            with ended(server):
                base, end = f"http://127.0.0.1:{port}", time.monotonic() + wait
                while True:
                    with contextlib.suppress(OSError):
                        if http(f"{base}/kite/api/v1/health", timeout=2)[0] == 200 and (folder / "lambda.env").is_file():
                            break
                    if server.poll() is not None or time.monotonic() > end:
                        state = f"ended with {server.returncode}" if server.poll() is not None else f"was not ready within {wait} s"
                        raise Failure(f"{binary} {state}\n--- what it wrote ---\n{pathlib.Path(log_file).read_text(errors='replace')[-4000:]}")
                    time.sleep(0.05)
                yield base, read_env_file(folder / "lambda.env") | tunables()
        finally:
            if data is None:
                shutil.rmtree(folder, ignore_errors=True)


def tunables():
    """What the template tells the C library of each function."""
    template = (pathlib.Path(__file__).resolve().parent.parent / "template.yaml").read_text()
    found = re.search(r"^ +GLIBC_TUNABLES: (\S+)$", template, re.MULTILINE)
    if not found:
        raise Failure("template.yaml has no GLIBC_TUNABLES")
    return {"GLIBC_TUNABLES": found[1]}


def ended_session(base):
    """A token whose session has ended."""
    name, password = "cold" + uuid.uuid4().hex[:12], "a long enough password"

    def kite(path, body, expect, token=None):
        status, answer = http(f"{base}/kite/api/v1/{path}", body, {"Authorization": f"Bearer {token}"} if token else None)
        if status != expect:
            raise Failure(f"POST /kite/api/v1/{path} answered {status} and not {expect}: {answer[:500]!r}")
        return json.loads(answer)

    kite("auth/register", {"username": name, "email": f"{name}@example.com", "password": password}, 201)
    token = kite("auth/login", {"username": name, "password": password}, 200)["data"]["access_token"]
    kite("auth/logout", {}, 200, token)
    return token


# ---- the two modes --------------------------------------------------------------------------------------------------


def compare(options, extra):
    binaries = {"floor": options.floor} | ({"login": options.login} if options.login else {})
    for binary in [*binaries.values(), *([options.server] if options.login else [])]:
        if not os.access(binary or "", os.X_OK):
            raise Failure(f"{binary} is not there, or can't be run: build it first (just cold-start does)")
    with contextlib.ExitStack() as stack:
        events = {"floor": (gateway_event("GET", "/", {}), 200)}
        if options.login:
            base, settings = stack.enter_context(development_server(options.server))
            extra = settings | extra
            token = ended_session(base)
            events["login"] = (gateway_event("POST", "/kite/api/v1/auth/logout", {"authorization": f"Bearer {token}"}), 401)
        for round_number in range(1, options.rounds + 1):
            if round_number > 1:
                # A processor keeps its speed for some seconds, and the two don't follow it alike.
                time.sleep(PAUSE_S)
            answered = measure(binaries, events, extra, options.runs, round_number)
            if "login" not in answered:
                return 0
            factor, margin = (options.times, 0.0) if options.times else (FACTOR, MARGIN_MS)
            # Turn by turn, since the processor is quicker in one second than in another.
            over = statistics.median(login - factor * floor - margin for login, floor in zip(answered["login"], answered["floor"]))
            kept = over <= 0
            print(f"login {abs(over):.2f} ms {'over' if over > 0 else 'below'} its limit of {factor:g} floors and {margin:g} ms: {'kept' if kept else 'NOT KEPT'}", flush=True)
            if kept:
                return 0
    return 1


def measure(binaries, events, extra, runs, round_number):
    times = {name: [] for name in binaries}
    for turn in range(runs + 1):
        for name, binary in binaries.items():
            run, _ = play(binary, events[name][0], extra, expect=events[name][1])
            if turn:  # The first only warms the file cache.
                times[name].append((run.ready_ms, run.answered_ms))
    print(f"round {round_number}, {runs} runs each, ms from exec")
    print(f"{'':8}{'size MB':>10}{'ready':>10}{'answered':>10}{'fastest':>10}{'slowest':>10}")
    for name, pairs in times.items():
        ready, answered = zip(*pairs)
        size = os.path.getsize(binaries[name]) / 1e6
        print(f"{name:8}{size:10.2f}{statistics.median(ready):10.2f}{statistics.median(answered):10.2f}{min(answered):10.2f}{max(answered):10.2f}", flush=True)
    return {name: [answered for _, answered in pairs] for name, pairs in times.items()}


def invoke(options, extra):
    event = json.loads(pathlib.Path(options.event).read_text())
    run, answer = play(options.binary, event, extra)
    print(json.dumps(answer, indent=2, ensure_ascii=False))
    print(f"ready {run.ready_ms:.2f} ms, answered {run.answered_ms:.2f} ms from exec", file=sys.stderr)
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--env", action="append", default=[], metavar="K=V", help="one more environment variable for the binary")
    common.add_argument("--env-file", metavar="FILE", help="KEY=VALUE lines, the same")
    modes = parser.add_subparsers(dest="mode", required=True)
    one = modes.add_parser("compare", parents=[common], help="time the floor and the login function")
    one.add_argument("--floor", required=True, help="the bare lambda_http binary")
    one.add_argument("--login", help="the login function's binary; without it only the floor is timed")
    one.add_argument("--server", help="the development server's binary")
    one.add_argument("--times", type=float, help="the limit in floors, in place of 1.5 of them and 5 ms")
    one.add_argument("--runs", type=int, default=40)
    one.add_argument("--rounds", type=int, default=3, help="at most so many rounds; the first that keeps the limit is enough")
    two = modes.add_parser("invoke", parents=[common], help="play one event to a binary")
    two.add_argument("binary")
    two.add_argument("event")
    options = parser.parse_args()
    try:
        extra = read_env_file(options.env_file) if options.env_file else {}
        for pair in options.env:
            key, equals, value = pair.partition("=")
            if not equals:
                raise Failure(f"--env {pair} is not K=V")
            extra[key] = value
        return {"compare": compare, "invoke": invoke}[options.mode](options, extra)
    except (Failure, OSError, ValueError) as failure:
        print(f"cold_start: {failure}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
