#!/usr/bin/env python3
"""Mails a code through moto's SES, and uses it: a second SES beside the development server's own mailbox.

Starts moto_server (moto[server], scripts/requirements.txt) and the development server with AWS_ENDPOINT_URL_SES pointing there,
so that mails leave through the deployed client. Then

- an unverified sender: registering answers 503 with Retry-After, nothing is in moto, and the log says mail="unverified";
- once it is verified, the same registration at once is mailed, with the sender's name; the code at the end of the subject
  makes the account, which signs in;
- the register function itself, played by the Lambda runtime API: an event that it gets twice, in two processes, mails once
  and is answered alike; a sender that moto doesn't know is 503, and its JSON log has the field that a metric filter counts;
- the same once more, against the development server's own mailbox.

Only the standard library is used here, and everything has a time limit.
"""

import argparse
import contextlib
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

from cold_start import NO_PROXY, development_server, http, play
from programs import Failure, ended, free_port

ROOT = pathlib.Path(__file__).resolve().parent.parent

SENDER = "Polygate <no-reply@polygate.example>"
# moto finds the service in the scope of the credentials, and checks no signature.
SCOPE = "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/ses/aws4_request, SignedHeaders=host, Signature=none"


@contextlib.contextmanager
def moto(wait=60):
    """moto's server on a free port."""
    port = free_port()
    with tempfile.TemporaryFile("w+") as log:
        command = ["moto_server", "-H", "127.0.0.1", "-p", str(port)]
        try:
            server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        except FileNotFoundError:
            raise Failure("moto_server is missing: run scripts/bootstrap, and put .venv/bin on PATH") from None
        with ended(server):
            end = time.monotonic() + wait
            while True:
                with contextlib.suppress(OSError):
                    if http(f"http://127.0.0.1:{port}/moto-api/data.json", timeout=5)[0] == 200:
                        break
                if server.poll() is not None or time.monotonic() > end:
                    log.seek(0)
                    raise Failure(f"moto_server did not start\n{log.read()[-4000:]}")
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"


def ses(service, **form):
    """One action of SES."""
    request = urllib.request.Request(f"{service}/", urllib.parse.urlencode(form).encode(), {"Authorization": SCOPE})
    with NO_PROXY.open(request, timeout=30) as answer:
        return answer.read().decode()


def kept_by_moto(service):
    """The mails that moto took, oldest first."""
    data = json.loads(http(f"{service}/moto-api/data.json", timeout=30)[1])
    return data.get("ses", {}).get("Message", [])


def post(base, path, body, expect):
    request = urllib.request.Request(f"{base}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with NO_PROXY.open(request, timeout=60) as answer:
            status, headers, text = answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        status, headers, text = refusal.code, refusal.headers, refusal.read().decode()
    if status != expect:
        raise Failure(f"POST {path} answered {status} and not {expect}: {text[:500]}")
    return json.loads(text), headers


def registration(name):
    return {"account": name, "password": "a long enough password", "username": "", "email": f"{name}@example.com"}


def use(base, name, subject):
    """Makes the account with the code of a mail, and signs it in."""
    code = re.search(r"(\d{6})$", subject)
    if not code:
        raise Failure(f"no code at the end of the subject {subject!r}")
    post(base, "/sproutgate/api/auth/verify-email", {"account": name, "code": code[1]}, 200)
    answer, _ = post(base, "/zeaya/api/auth/login", {"username": name, "password": "a long enough password"}, 200)
    if answer["data"]["user"]["email"] != f"{name}@example.com":
        raise Failure(f"somebody else signed in: {answer}")


def by_the_function(binary, settings, service):
    """Events for the register function, each in a process of its own."""
    event = json.loads((ROOT / "events/sproutgate/register.json").read_text())
    before = len(kept_by_moto(service))
    _, first = play(binary, event, settings, expect=200)
    _, second = play(binary, event, settings, expect=200)
    mails = len(kept_by_moto(service)) - before
    if mails != 1 or first != second:
        raise Failure(f"one event twice: {mails} mails, answered {first} and {second}")
    print("  function: an event twice is one mail and one answer", flush=True)

    event["requestContext"]["requestId"] = "of-an-unknown-sender"
    event["body"] = json.dumps(registration("unknown"))
    run, answer = play(binary, event, settings | {"MAIL_FROM": "nobody@polygate.example"}, expect=503)
    lines = [json.loads(line) for line in run.log.splitlines() if line.startswith("{")]
    told = [line.get("mail") for line in lines if line["message"] == "request"]
    if told != ["unverified"] or answer["headers"]["retry-after"] != "60" or "example.com" in run.log:
        raise Failure(f"an unknown sender: {answer}, and in the log {run.log[-2000:]}")
    print("  function: an unverified sender is 503, and `mail` in the log says why", flush=True)


def through_moto(binary, register, log):
    with moto() as service:
        settings = {"AWS_ENDPOINT_URL_SES": service, "MAIL_FROM": SENDER, "MAIL_REPLY_TO": "help@polygate.example"}
        with development_server(binary, settings=settings, log_file=log.name) as (base, lambda_env):
            _, headers = post(base, "/sproutgate/api/auth/register", registration("moto"), 503)
            if headers["Retry-After"] != "60" or kept_by_moto(service):
                raise Failure(f"an unverified sender: Retry-After {headers['Retry-After']}, mails {kept_by_moto(service)}")
            lines = [line for line in pathlib.Path(log.name).read_text().splitlines() if 'mail="unverified"' in line]
            if len(lines) != 1 or "example.com" in lines[0]:
                raise Failure(f"the log does not say mail=\"unverified\" in one line: {pathlib.Path(log.name).read_text()[-2000:]}")
            print("  moto: an unverified sender is 503, and the log says why", flush=True)

            ses(service, Action="VerifyEmailIdentity", EmailAddress="no-reply@polygate.example")
            post(base, "/sproutgate/api/auth/register", registration("moto"), 200)
            mails = kept_by_moto(service)
            if len(mails) != 1 or mails[0]["source"] != SENDER or mails[0]["destinations"]["ToAddresses"] != ["moto@example.com"]:
                raise Failure(f"not one mail from {SENDER}: {mails}")
            use(base, "moto", mails[0]["subject"])
            if "<SentLast24Hours>1.0<" not in (quota := ses(service, Action="GetSendQuota")):
                raise Failure(f"moto did not count one mail: {quota}")
            print("  moto: a code was mailed, read back and used", flush=True)
            by_the_function(register, lambda_env, service)


def through_the_mailbox(binary):
    with development_server(binary) as (base, _):
        post(base, "/sproutgate/api/auth/register", registration("sink"), 200)
        mails = json.loads(http(f"{base}/_local/mail.json")[1])
        if [mail["to"] for mail in mails] != [["sink@example.com"]]:
            raise Failure(f"not one mail in the mailbox: {mails}")
        use(base, "sink", mails[0]["subject"])
        print("  mailbox: a code was mailed, read back and used", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True, help="the development server's binary")
    parser.add_argument("--register", required=True, help="the register function's binary")
    options = parser.parse_args()
    try:
        with tempfile.NamedTemporaryFile(suffix=".log") as log:
            through_moto(options.server, options.register, log)
        through_the_mailbox(options.server)
        print("mail: the same calls against moto's SES and the mailbox")
        return 0
    except (Failure, OSError, ValueError, KeyError) as failure:
        print(f"mail: {failure}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
