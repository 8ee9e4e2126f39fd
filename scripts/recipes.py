#!/usr/bin/env python3
"""What docs/clients.md says is tried: the TypeScript client is generated, type-checked and run against the development server, the
Lambda authorizer is given events with that server's tokens, and both templates of the protected API are linted.

Packages come from npm at the versions of docs/examples/client/package-lock.json, into target/recipes/. Without Node and npm only
the templates are looked at, and that is told loudly.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

from cold_start import Failure, development_server
from cold_start import http as fetch

ROOT = pathlib.Path(__file__).resolve().parent.parent
EXAMPLES, SCRATCH = ROOT / "docs/examples", ROOT / "target/recipes"
# Gives the authorizer each event of standard input, a line each, and writes what it answers or throws.
DRIVER = """
import { createInterface } from "node:readline";
const { handler } = await import(process.argv[2]);
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await handler(JSON.parse(line)).catch((error) => ({ thrown: error.message }))));
}
"""


def run(what, command, cwd, env=None):
    """One command of a recipe; what it wrote is told where it fails."""
    began = time.monotonic()
    done = subprocess.run(command, cwd=cwd, env=os.environ | (env or {}), stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"{what}: {' '.join(map(str, command))} ended with {done.returncode}\n{done.stdout[-6000:]}{done.stderr[-3000:]}")
    print(f"recipes: {what}, {time.monotonic() - began:.0f} s", flush=True)
    return done.stdout


def templates():
    for name in ["jwt", "lambda"]:
        template = EXAMPLES / f"protected-api/{name}.yaml"
        run(f"{template.name} is valid", ["sam", "validate", "--lint", "--template", template], ROOT)


def lay_out():
    """The examples as in the repository, with the packages beside the client."""
    for name in ["docs/examples", "docs/openapi"]:
        shutil.copytree(ROOT / name, SCRATCH / name, dirs_exist_ok=True)
    client = SCRATCH / "docs/examples/client"
    run("packages from npm", ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], client)
    return client


def typed_client(client, base):
    # Something that the document doesn't have must not pass, or the types are none.
    wrong = client / "src/wrong.ts"
    run("types generated from docs/openapi/kite.json", ["npm", "run", "--silent", "generate"], client)
    wrong.write_text('import { open } from "./client.js";\nawait open("").POST("/api/v1/auth/login", { body: { user: "anna" } });\n')
    refused = subprocess.run(["npm", "run", "--silent", "build"], cwd=client, capture_output=True, text=True)
    wrong.unlink()
    if refused.returncode == 0 or "src/wrong.ts" not in refused.stdout:
        raise Failure(f"a body that the document doesn't have passes for one: {refused.stdout}")
    shutil.rmtree(client / "dist", ignore_errors=True)
    run("type-checked", ["npm", "run", "--silent", "build"], client)
    told = run("run against the development server", ["npm", "run", "--silent", "start"], client, {"POLYGATE": f"{base}/kite"})
    print("".join(f"  {line}\n" for line in told.splitlines()), end="", flush=True)


def post(base, path, body, token=None):
    status, answer = fetch(f"{base}{path}", body, {"Authorization": f"Bearer {token}"} if token else {})
    if status >= 300:
        raise Failure(f"{path}: {status} {answer!r}")
    return json.loads(answer)


def asked(events, url):
    """What the authorizer says to these events."""
    driver = SCRATCH / "driver.mjs"
    driver.write_text(DRIVER)
    handler = (SCRATCH / "docs/examples/protected-api/authorizer/index.mjs").as_uri()
    lines = "".join(json.dumps(event) + "\n" for event in events)
    done = subprocess.run(["node", driver, handler], env=os.environ | {"SPROUTGATE_URL": url}, input=lines, capture_output=True, text=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode != 0 or len(answers) != len(events):
        raise Failure(f"the authorizer ended with {done.returncode}: {done.stdout}{done.stderr}")
    return answers


def event(authorization=None):
    """What API Gateway hands to an authorizer of payload format 2.0, as far as ours looks; header names come in small letters."""
    headers = {"host": "api.example.com"} | ({"authorization": authorization} if authorization else {})
    return {"version": "2.0", "type": "REQUEST", "routeKey": "GET /hello", "rawPath": "/hello", "headers": headers}


def authorizer(base):
    registration = {"username": "authorized", "email": "authorized@example.com", "password": "a long enough password"}
    post(base, "/kite/api/v1/auth/register", registration)
    token = post(base, "/kite/api/v1/auth/login", {"username": "authorized", "password": registration["password"]})["data"]["access_token"]
    at = token.rindex(".") + 5
    altered = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
    events = [event(f"Bearer {token}"), event(f"bearer {token}"), event(f"Bearer {altered}"), event(f"Basic {token}"), event()]
    answers = asked(events, f"{base}/sproutgate")
    allowed = {"isAuthorized": True, "context": {"account": "authorized"}}
    if answers != [allowed, allowed] + [{"isAuthorized": False}] * 3:
        raise Failure(f"the authorizer answers {answers}")
    post(base, "/kite/api/v1/auth/logout", {}, token)
    if (answers := asked([event(f"Bearer {token}")], f"{base}/sproutgate")) != [{"isAuthorized": False}]:
        raise Failure(f"after signing out the authorizer answers {answers}")
    if "thrown" not in (answers := asked([event(f"Bearer {token}")], "http://127.0.0.1:1"))[0]:
        raise Failure(f"where nobody can be asked the authorizer answers {answers}")
    print("recipes: the authorizer lets in whom it should, and nobody after signing out", flush=True)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--server", required=True, help="the development server's binary")
    server = str(pathlib.Path(arguments.parse_args().server).resolve())
    templates()
    if not (shutil.which("node") and shutil.which("npm")):
        print("\n" + "!" * 78 + "\n!! No Node and npm here: the TypeScript client and the Lambda authorizer of\n!! docs/clients.md were NOT tried.\n" + "!" * 78, flush=True)
        return
    client = lay_out()
    with development_server(server) as (base, _):
        typed_client(client, base)
        authorizer(base)


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"recipes: {failure}")
