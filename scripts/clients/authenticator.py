"""Signs in through all four contracts with codes of pyotp, an authenticator that is none of ours, by the machine's clock.

The base URL is the only argument. A time step's code is taken once, and those of the steps beside the present one too: so
each of two accounts turns the second factor on with the code of the step before, and signs in with this one's and the next's.
One authenticator is told the secret, the other reads the otpauth:// address.
"""

import json
import sys
import time
import urllib.error
import urllib.request

import pyotp

BASE = sys.argv[1]
STEP = 30


def post(path, body, token=None):
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    request = urllib.request.Request(BASE + path, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def check(name, good, found=""):
    if not good:
        sys.exit(f"pyotp: {name}: {found}")
    print(f"pyotp: {name}", flush=True)


def with_second_factor(name, read):
    """Makes an account; its authenticator, made by `read` of what the service told."""
    password = "secret123"
    status, told = post("/kite/api/v1/auth/register", {"username": name, "email": f"{name}@example.com", "password": password})
    check(f"{name} registers", status == 201, told)
    status, told = post("/kite/api/v1/auth/login", {"username": name, "password": password})
    check(f"{name} signs in with the password", status == 200, told)
    session = told["data"]["access_token"]
    status, told = post("/kite/api/v1/auth/2fa/setup", {}, session)
    check(f"{name} sets a second factor up", status == 200, told)
    authenticator = read(told["data"])
    status, told = post("/kite/api/v1/auth/2fa/enable", {"code": authenticator.at(time.time() - STEP)}, session)
    check(f"{name} turns it on with a code of pyotp", status == 200, told)
    return authenticator


def in_one(path, name, code):
    """Signs in where all is asked for in one request, after a wrong code was refused."""
    body = {"username": name, "account": name, "password": "secret123"}
    wrong = "000000" if code != "000000" else "000001"
    status, told = post(path, body | {"code": wrong})
    check(f"{path} refuses a wrong code", status == 401, told)
    status, told = post(path, body | {"code": code})
    check(f"{path} takes one of pyotp", status == 200 and "oken" in json.dumps(told), told)


# So that the steps don't move on in between.
if time.time() % STEP > STEP - 10:
    time.sleep(STEP - time.time() % STEP)

typed = with_second_factor("typed", lambda told: pyotp.TOTP(told["secret"]))
status, told = post("/kite/api/v1/auth/login", {"username": "typed", "password": "secret123"})
check("kite asks for a code", status == 200 and told["data"]["pending_2fa"] is True, told)
proof = {"challenge_token": told["data"]["challenge_token"], "code": typed.now()}
status, told = post("/kite/api/v1/auth/2fa/verify", proof)
check("/kite/api/v1/auth/2fa/verify takes one of pyotp", status == 200 and told["data"]["access_token"], told)
in_one("/zeaya/api/auth/login", "typed", typed.at(time.time() + STEP))

scanned = with_second_factor("scanned", lambda told: pyotp.parse_uri(told["uri"]))
check("the address names account and issuer", scanned.name == "scanned" and scanned.issuer, vars(scanned))
in_one("/sproutgate/api/auth/login", "scanned", scanned.now())
in_one("/mcphub/api/auth/login", "scanned", scanned.at(time.time() + STEP))
