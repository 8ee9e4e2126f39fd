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
whatever else the machine does disturbs both alike. The medians must keep

    login <= 1.5 * floor + 5 ms

in one round: up to three are run, the first that keeps the limit ends it, so the best of them counts. Only the standard
library is used.
"""

import argparse
import contextlib
import json
import os
import pathlib
import selectors
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid

API = "/2018-06-01/runtime"
FACTOR, MARGIN_MS = 1.5, 5.0
NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Failure(Exception):
    """Something that ends the run, told in one line."""


# ---- the runtime API ------------------------------------------------------------------------------------------------


class Connection:
    """One of the function's connections: bytes in, whole HTTP/1.1 requests out."""

    def __init__(self, sock):
        self.sock = sock
        self.data = b""

    def requests(self, more):
        self.data += more
        while (request := self._take()) is not None:
            yield request

    def _take(self):
        head, end, rest = self.data.partition(b"\r\n\r\n")
        if not end:
            return None
        lines = head.decode("latin-1").split("\r\n")
        method, path, _ = lines[0].split(" ", 2)
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        if "chunked" in headers.get("transfer-encoding", "").lower():
            body, rest = self._chunks(rest)
            if body is None:
                return None
        else:
            length = int(headers.get("content-length", 0))
            if len(rest) < length:
                return None
            body, rest = rest[:length], rest[length:]
        self.data = rest
        return method, path, headers, body

    @staticmethod
    def _chunks(rest):
        body = b""
        while True:
            size, end, rest = rest.partition(b"\r\n")
            if not end:
                return None, None
            size = int(size.split(b";")[0], 16)
            if len(rest) < size + 2:
                return None, None
            if size == 0:
                # Trailers, if any, end with an empty line.
                while True:
                    line, end, rest = rest.partition(b"\r\n")
                    if not end:
                        return None, None
                    if not line:
                        return body, rest
            body, rest = body + rest[:size], rest[size + 2 :]

    def answer(self, status, headers, body):
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.sock.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def lambda_environment(runtime_api, extra):
    """What Lambda sets for a function, and nothing of this process's own environment."""
    return {
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
        "AWS_LAMBDA_FUNCTION_NAME": "function",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/function",
        "AWS_LAMBDA_LOG_STREAM_NAME": "stream",
        "AWS_REGION": "eu-central-1",
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "LAMBDA_TASK_ROOT": "/var/task",
        "LANG": "en_US.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin/:/bin",
        "TZ": ":UTC",
        "_HANDLER": "bootstrap",
        **extra,
        # Last, so that nothing replaces it.
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
    }


class Run:
    """One start of one binary that gets one event."""

    def __init__(self, binary, event, extra, limit=15.0):
        self.binary = str(pathlib.Path(binary).resolve())
        self.event = json.dumps(event).encode()
        self.extra = extra
        self.limit = limit
        self.request_id = str(uuid.uuid4())
        self.ready_ms = self.answered_ms = None
        self.answer = self.error = None

    def go(self):
        with contextlib.ExitStack() as stack:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=16))
            log = stack.enter_context(tempfile.TemporaryFile())
            selector = stack.enter_context(selectors.DefaultSelector())
            selector.register(listener, selectors.EVENT_READ)
            environment = lambda_environment("127.0.0.1:%d" % listener.getsockname()[1], self.extra)
            actions = [
                (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, log.fileno(), 1),
                (os.POSIX_SPAWN_DUP2, log.fileno(), 2),
            ]
            self.start = time.perf_counter()
            pid = os.posix_spawn(self.binary, [self.binary], environment, file_actions=actions)
            try:
                self._serve(pid, listener, selector)
            finally:
                for key in list(selector.get_map().values()):
                    if key.data:
                        key.fileobj.close()
                if not getattr(self, "reaped", False):
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
                log.seek(0)
                self.log = log.read().decode(errors="replace")
        return self

    def _serve(self, pid, listener, selector):
        end = self.start + self.limit
        while self.answer is None and self.error is None:
            ready = selector.select(0.25)
            for key, _ in ready:
                if key.data is None:
                    sock, _ = listener.accept()
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    selector.register(sock, selectors.EVENT_READ, Connection(sock))
                    continue
                more = key.fileobj.recv(1 << 16)
                if not more:
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
                    continue
                for request in key.data.requests(more):
                    self._request(key.data, *request)
            if ready:
                continue
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                self.reaped = True
                self.error = f"ended by itself with {os.waitstatus_to_exitcode(status)} before it answered"
            elif time.perf_counter() > end:
                self.error = f"no answer within {self.limit:.0f} s"

    def _request(self, connection, method, path, headers, body):
        now = (time.perf_counter() - self.start) * 1000
        invocation = f"{API}/invocation/{self.request_id}"
        if (method, path) == ("GET", f"{API}/invocation/next"):
            if self.ready_ms is None:
                self.ready_ms = now
                connection.answer(
                    "200 OK",
                    {
                        "Content-Type": "application/json",
                        "Lambda-Runtime-Aws-Request-Id": self.request_id,
                        "Lambda-Runtime-Deadline-Ms": str(int((time.time() + self.limit) * 1000)),
                        "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-central-1:123456789012:function:function",
                        "Lambda-Runtime-Trace-Id": "Root=1-00000000-000000000000000000000000;Sampled=0",
                    },
                    self.event,
                )
            return  # There is no second event: the function waits, as it would between two.
        if (method, path) == ("POST", f"{invocation}/response"):
            self.answered_ms, self.answer = now, body
        elif (method, path) == ("POST", f"{invocation}/error"):
            self.error = "answered with an error: " + body.decode(errors="replace")
        elif (method, path) == ("POST", f"{API}/init/error"):
            self.error = "could not start: " + body.decode(errors="replace")
        else:
            connection.answer("404 Not Found", {}, b"")
            return
        connection.answer("202 Accepted", {"Content-Type": "application/json"}, b'{"status":"OK"}')


def play(binary, event, extra, expect=None):
    """Runs a binary on an event; the run and its answer, or a failure that shows the binary's own words."""
    run = Run(binary, event, extra).go()
    name = pathlib.Path(binary).name

    def fail(what):
        raise Failure(f"{binary} {what}" + (f"\n--- what {name} wrote ---\n{run.log.strip()[-4000:]}" if run.log.strip() else ""))

    if run.error:
        fail(run.error)
    try:
        answer = json.loads(run.answer)
    except ValueError:
        fail(f"answered something that is not JSON: {run.answer[:500]!r}")
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


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


def http(url, body=None, headers=None, timeout=10):
    """Status and body, also of an answer that is an error."""
    request = urllib.request.Request(url, data=None if body is None else json.dumps(body).encode(), headers={"Content-Type": "application/json", **(headers or {})})
    try:
        with NO_PROXY.open(request, timeout=timeout) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.read()


@contextlib.contextmanager
def development_server(binary, wait=60, settings=None, log_file=None):
    """A server with a store of its own in memory; its base URL and the settings that functions reach that store with."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="polygate-"))
    port, log_file = free_port(), log_file or folder / "server.log"
    with open(log_file, "w+b") as log:
        command = [binary, "--memory", "--port", str(port), "--data", str(folder)]
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ | (settings or {}))
        try:
            base, end = f"http://127.0.0.1:{port}", time.monotonic() + wait
            while True:
                with contextlib.suppress(OSError):
                    if http(f"{base}/kite/api/v1/health", timeout=2)[0] == 200 and (folder / "lambda.env").is_file():
                        break
                if server.poll() is not None or time.monotonic() > end:
                    state = f"ended with {server.returncode}" if server.poll() is not None else f"was not ready within {wait} s"
                    raise Failure(f"{binary} {state}\n--- what it wrote ---\n{pathlib.Path(log_file).read_text(errors='replace')[-4000:]}")
                time.sleep(0.05)
            yield base, read_env_file(folder / "lambda.env")
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
            shutil.rmtree(folder, ignore_errors=True)


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
            medians = measure(binaries, events, extra, options.runs, round_number)
            if "login" not in medians:
                return 0
            limit = FACTOR * medians["floor"] + MARGIN_MS
            kept = medians["login"] <= limit
            print(f"login {medians['login']:.2f} ms, limit {FACTOR} x {medians['floor']:.2f} + {MARGIN_MS:.0f} = {limit:.2f} ms: {'kept' if kept else 'NOT KEPT'}", flush=True)
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
    medians = {}
    for name, pairs in times.items():
        ready, answered = zip(*pairs)
        medians[name] = statistics.median(answered)
        size = os.path.getsize(binaries[name]) / 1e6
        print(f"{name:8}{size:10.2f}{statistics.median(ready):10.2f}{medians[name]:10.2f}{min(answered):10.2f}{max(answered):10.2f}", flush=True)
    return medians


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
    one.add_argument("--runs", type=int, default=20)
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
