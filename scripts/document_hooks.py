"""What Schemathesis needs to get past the sign-in: an account of its own that it may ruin.

Loaded by SCHEMATHESIS_HOOKS. POLYGATE_URL is the development server, POLYGATE_ADMIN_TOKEN its administrator token,
POLYGATE_COUNTS a file for how many answers had which status.
"""

import atexit
import collections
import itertools
import json
import os
import urllib.error
import urllib.request

import schemathesis

URL = os.environ["POLYGATE_URL"]
ADMIN_TOKEN = os.environ["POLYGATE_ADMIN_TOKEN"]
PASSWORD = "a-password-to-fuzz-with"

numbers = itertools.count(1)
statuses = collections.Counter()
operations = set()


def ask(path, body, token=None):
    headers = {"content-type": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    request = urllib.request.Request(URL + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["data"]


class Accounts:
    """An administrator that requests are made by, and somebody that they are made about."""

    def __init__(self):
        self.token = None
        self.subject = None

    def fresh(self):
        made = [
            ask(
                "/kite/api/v1/admin/users",
                {"username": name, "email": f"{name}@example.com", "password": PASSWORD, "role": role},
                ADMIN_TOKEN,
            )
            for name, role in ((f"fuzz-{os.getpid()}-{next(numbers)}", role) for role in ("admin", "user"))
        ]
        signed_in = ask("/kite/api/v1/auth/login", {"username": made[0]["username"], "password": PASSWORD})
        self.token, self.subject = signed_in["access_token"], made[1]

    def current(self):
        if self.token is None:
            self.fresh()
        return self.token


accounts = Accounts()


@schemathesis.auth(refresh_interval=None)
class SignedIn:
    def get(self, case, context):
        return accounts.current()

    def set(self, case, data, context):
        case.headers = case.headers or {}
        case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Makes half of the paths name something that is there."""
    if path_parameters and next(numbers) % 2:
        accounts.current()
        for name, value in (("id", "id"), ("account", "username")):
            if name in path_parameters:
                path_parameters[name] = accounts.subject[value]
    return path_parameters


@schemathesis.hook
def after_call(context, case, response):
    statuses[response.status_code] += 1
    operations.add(case.operation.label)
    # The session was ended, or the account removed or disabled: the next request gets another.
    if response.status_code == 401:
        accounts.token = None


@atexit.register
def tell():
    with open(os.environ["POLYGATE_COUNTS"], "w", encoding="utf-8") as file:
        json.dump({"operations": len(operations), "statuses": statuses}, file)
