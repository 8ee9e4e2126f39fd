"""The services that are measured, how each is started, and what is asked of it."""

import contextlib
import dataclasses
import json
import os
import shutil
import socket
import subprocess
import time

from .common import CLIENT_CPU, SERVER_CPU, WORK, Failure, free_port, on_processor, process

PASSWORD = "correct-horse-battery"
JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


def step(method, path, expect=200, headers=None, body=None, **more):
    return {"method": method, "path": path, "expect": expect, "headers": headers or {}, **({"body": body} if body else {}), **more}


def bearer(name):
    return {"authorization": f"Bearer %{{{name}}}"}


# Names of accounts: one for each worker of a run, and for registrations one more each time.
MINE, ANOTHER = "w%{run}x%{worker}", "r%{run}x%{worker}x%{n}"


def ours():
    api = "/kite/api/v1"

    def register(name):
        return step("POST", f"{api}/auth/register", 201, JSON, f'{{"username":"{name}","email":"{name}@example.com","password":"{PASSWORD}"}}')

    taken = {"access": {"body": "/data/access_token"}, "refresh": {"body": "/data/refresh_token"}}
    return {
        "first": [register(MINE)],
        "register": [register(ANOTHER)],
        "login": [step("POST", f"{api}/auth/login", 200, JSON, f'{{"username":"{MINE}","password":"{PASSWORD}"}}', take=taken)],
        "read": [step("GET", f"{api}/profile", 200, bearer("access"))],
        "refresh": [step("POST", f"{api}/auth/refresh", 200, JSON, '{"refresh_token":"%{refresh}"}', take=taken)],
    }


def better_auth():
    def register(name, **more):
        return step("POST", "/api/auth/sign-up/email", 200, {**JSON, "origin": "%{origin}"}, f'{{"name":"{name}","email":"{name}@example.com","password":"{PASSWORD}"}}', **more)

    sign_in = f'{{"email":"{MINE}@example.com","password":"{PASSWORD}"}}'
    cookies = {"cookie": "%{cookies}"}
    return {
        "first": [register(MINE, keep_cookies=True)],
        "register": [register(ANOTHER)],
        "login": [step("POST", "/api/auth/sign-in/email", 200, {**JSON, "origin": "%{origin}"}, sign_in, keep_cookies=True)],
        "read": [step("GET", "/api/auth/get-session", 200, cookies, take={"id": {"body": "/user/id"}})],
        "refresh": [step("GET", "/api/auth/token", 200, cookies, take={"token": {"body": "/token"}})],
    }


def fastapi_users():
    def register(name):
        return step("POST", "/auth/register", 201, JSON, f'{{"email":"{name}@example.com","password":"{PASSWORD}"}}')

    return {
        "first": [register(MINE)],
        "register": [register(ANOTHER)],
        "login": [step("POST", "/auth/login", 200, FORM, f"username={MINE}@example.com&password={PASSWORD}", take={"access": {"body": "/access_token"}})],
        "read": [step("GET", "/users/me", 200, bearer("access"))],
    }


def openauth():
    back = "client_id=bench&redirect_uri=http://127.0.0.1/back"
    cookies = {"cookie": "%{cookies}"}

    def begin():
        return step("GET", f"/authorize?{back}&response_type=code&provider=password", 302, keep_cookies=True)

    def end():
        taken = {"access": {"body": "/access_token"}, "refresh": {"body": "/refresh_token"}}
        return step("POST", "/token", 200, FORM, f"grant_type=authorization_code&code=%{{code}}&{back}", take=taken)

    def form(path, expect, body, **more):
        return step("POST", path, expect, {**FORM, **cookies}, body, keep_cookies=True, **more)

    def register(name):
        return [
            begin(),
            step("GET", "/password/register", 200, cookies, keep_cookies=True),
            form("/password/register", 200, f"action=register&email={name}@example.com&password={PASSWORD}&repeat={PASSWORD}"),
            step("GET", f"/mailed/{name}@example.com", take={"mailed": {"body": "/code"}}),
            form("/password/register", 302, "action=verify&code=%{mailed}", take={"code": {"location": "code"}}),
            end(),
        ]

    return {
        "first": register(MINE),
        "register": register(ANOTHER),
        "login": [begin(), form("/password/authorize", 302, f"email={MINE}@example.com&password={PASSWORD}", take={"code": {"location": "code"}}), end()],
        "refresh": [step("POST", "/token", 200, FORM, "grant_type=refresh_token&refresh_token=%{refresh}", take={"refresh": {"body": "/refresh_token"}})],
    }


@dataclasses.dataclass
class Service:
    """One of those that are compared."""

    name: str
    told: str
    operations: dict
    command: object
    # An address that answers 200 once it is there.
    health: str
    pid: int = 0
    port: int = 0

    @contextlib.contextmanager
    def running(self):
        folder = WORK / "run" / self.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.port, log = free_port(), folder / "server.log"
        with process(on_processor(SERVER_CPU, self.command(self.port, folder)), log, cwd=folder, env=environment()) as started:
            self.pid = started.pid
            self._wait(started, log)
            yield self

    def _wait(self, started, log, seconds=180):
        end = time.monotonic() + seconds
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 2) as sock:
                sock.sendall(f"GET {self.health} HTTP/1.1\r\nhost: 127.0.0.1:{self.port}\r\nconnection: close\r\n\r\n".encode())
                if sock.recv(64).startswith(b"HTTP/1.1 200"):
                    return
            if started.poll() is not None or time.monotonic() > end:
                raise Failure(f"{self.name} doesn't start:\n{log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.1)


def environment():
    """Nothing of this shell's own but where programs are."""
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "NODE_ENV": "production", "LANG": "C.UTF-8"}


def node(script):
    return lambda port, folder: ["node", WORK / "node" / script, port, folder / "accounts.db"]


def all_services():
    python = WORK / "python/bin/python"
    return [
        Service("Polygate", "the development server, its store in the same process", ours(),
                lambda port, folder: [WORK / "stripped/polygate", "--port", port, "--data", folder / "data"], "/kite/api/v1/health"),
        Service("Better Auth", "1.7.1 on Hono and better-sqlite3", better_auth(), node("better_auth.mjs"), "/api/auth/ok"),
        Service("OpenAuth", "0.4.3 on Hono, storage on better-sqlite3", openauth(), node("openauth.mjs"), "/.well-known/jwks.json"),
        Service("fastapi-users", "15.0.5 on uvicorn, SQLAlchemy and aiosqlite", fastapi_users(),
                lambda port, folder: [python, "-B", WORK / "node/fastapi_users_app.py", port, folder / "accounts.db"], "/openapi.json"),
    ]


class Driver:
    """The closed loop's client, prepared and ready to go."""

    def __init__(self, service, mix, workers, warm, seconds, run):
        plan = {
            "address": f"127.0.0.1:{service.port}", "workers": workers, "prepare": ["first", "login"], "mix": mix,
            "warm_seconds": warm, "seconds": seconds, "operations": service.operations,
            "values": {"run": str(run), "origin": f"http://127.0.0.1:{service.port}"},
        }
        self.plan, self.service = plan, service

    def go(self, at_start, at_end):
        """Has it run; both are called beside it: when it is about to begin, and when it has ended."""
        command = on_processor(CLIENT_CPU, [WORK / "driver/release/driver", "drive"])
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as driver:
            def failed():
                driver.stdin.close()
                return Failure(f"{self.service.name}, {self.plan['mix']}: {driver.stderr.read()}")

            driver.stdin.write(json.dumps(self.plan) + "\n")
            driver.stdin.flush()
            if driver.stdout.readline() != "ready\n":
                raise failed()
            at_start()
            driver.stdin.write("go\n")
            driver.stdin.flush()
            answer = driver.stdout.readline()
            at_end()
            if not answer:
                raise failed()
            return json.loads(answer)
