#!/usr/bin/env python3
"""Asks the development server all that the documents of docs/openapi/ allow, and much that they don't, by Schemathesis.

No answer may be a 5xx, and none may have a status, a content type or a shape that the document lacks.
Ends with a table, and fails where hardly any request succeeded: such a run would show nothing.
"""

import argparse
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,unsupported_method,negative_data_rejection"
# The share of requests, in percent, that must succeed for the rest to mean anything.
LEAST_SUCCESS = 5


def free_port():
    """A port after which another one is free too, for the store engine."""
    for _ in range(100):
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port
    sys.exit("documents: no two free ports beside one another")


def start(server, log):
    port = free_port()
    process = subprocess.Popen([server, "--memory", "--port", str(port)], stdout=log, stderr=subprocess.STDOUT, cwd=ROOT)
    for _ in range(600):
        text = pathlib.Path(log.name).read_text(encoding="utf-8")
        if "is ready" in text:
            found = re.search(r"admin token\s+in (.*?): ", text)
            return process, f"http://127.0.0.1:{port}", pathlib.Path(found[1]).read_text(encoding="utf-8").strip()
        if process.poll() is not None:
            sys.exit(f"documents: the server ended while it started\n{text}")
        time.sleep(0.1)
    sys.exit("documents: the server was not ready within a minute")


def run(document, url, environment, examples, seed):
    name = document.stem
    mount = "" if name == "service" else f"/{name}"
    counts = pathlib.Path(environment["POLYGATE_COUNTS"])
    counts.unlink(missing_ok=True)
    command = [
        str(ROOT / ".venv/bin/schemathesis"), "run", str(document), "--url", url + mount, "--checks", CHECKS,
        "--phases", "examples,coverage,fuzzing", "--max-examples", str(examples), "--seed", str(seed), "--workers", "1",
        "--generation-database", "none", "--continue-on-failure", "--no-color", "--warnings", "off",
        "--request-timeout", "60", "--suppress-health-check", "all",
    ]
    print(f"\n---- {name} ----", flush=True)
    status = subprocess.run(command, env=environment, cwd=ROOT, check=False).returncode
    told = json.loads(counts.read_text(encoding="utf-8")) if counts.exists() else {"operations": 0, "statuses": {}}
    sent = sum(told["statuses"].values())
    good = sum(number for status_of, number in told["statuses"].items() if status_of.startswith("2"))
    return {"name": name, "operations": told["operations"], "sent": sent, "good": good, "failed": status != 0}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", default="target/debug/polygate", help="the development server's binary")
    parser.add_argument("--documents", default="docs/openapi", help="the folder that has them")
    parser.add_argument("--only", help="one document, such as kite")
    parser.add_argument("--examples", type=int, default=12, help="requests made up for each operation")
    parser.add_argument("--seed", type=int, default=20260101)
    options = parser.parse_args()
    documents = sorted((ROOT / options.documents).glob(f"{options.only or '*'}.json"))
    if not documents:
        sys.exit(f"documents: none in {options.documents}")
    with tempfile.TemporaryDirectory() as work, open(pathlib.Path(work) / "server.log", "w", encoding="utf-8") as log:
        server, url, admin_token = start(str(ROOT / options.server), log)
        environment = os.environ | {
            "SCHEMATHESIS_HOOKS": "document_hooks", "PYTHONPATH": str(ROOT / "scripts"), "POLYGATE_URL": url,
            "POLYGATE_ADMIN_TOKEN": admin_token, "POLYGATE_COUNTS": str(pathlib.Path(work) / "counts.json"),
            "no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1",
        }
        try:
            results = [run(document, url, environment, options.examples, options.seed) for document in documents]
        finally:
            server.terminate()
            server.wait(timeout=30)
    print(f"\n{'document':12} {'operations':>10} {'requests':>9} {'2xx':>6}  outcome")
    failed = False
    for result in results:
        share = 100 * result["good"] / max(result["sent"], 1)
        words = "FAILED" if result["failed"] else "ok"
        if share < LEAST_SUCCESS:
            words = f"FAILED: fewer than {LEAST_SUCCESS} % succeeded"
        failed |= words != "ok"
        print(f"{result['name']:12} {result['operations']:10} {result['sent']:9} {share:5.0f}%  {words}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
