"""Accounts on the development server, and events for the functions that read its store."""

import contextlib
import json
import uuid

from .common import Failure
from .player import gateway_event, http

PASSWORD = "correct-horse-battery"


def event(method, path, token=None, body=None):
    made = gateway_event(method, path, {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {}))
    if body is not None:
        made["body"] = json.dumps(body)
    return made


def body_of(answer, expect):
    """The body of a function's answer, which must have this status."""
    answer = json.loads(answer)
    if answer.get("statusCode") != expect:
        raise Failure(f"answered {answer.get('statusCode')} and not {expect}: {json.dumps(answer)[:600]}")
    with contextlib.suppress(ValueError, TypeError):
        return json.loads(answer.get("body"))
    return answer.get("body")


class Account:
    """An account with a session, made through the development server."""

    def __init__(self, base):
        self.base, self.name = base, "bench" + uuid.uuid4().hex[:12]
        self.email = f"{self.name}@example.com"
        self._ask("/kite/api/v1/auth/register", {"username": self.name, "email": self.email, "password": PASSWORD}, 201)
        self.sign_in()

    def sign_in(self):
        told = self._ask("/kite/api/v1/auth/login", {"username": self.name, "password": PASSWORD}, 200)["data"]
        self.access, self.refresh = told["access_token"], told["refresh_token"]

    def read(self):
        self._ask("/kite/api/v1/profile", None, 200, {"authorization": f"Bearer {self.access}"})

    def renew(self):
        told = self._ask("/kite/api/v1/auth/refresh", {"refresh_token": self.refresh}, 200)["data"]
        self.access, self.refresh = told["access_token"], told["refresh_token"]

    def sign_out(self):
        self._ask("/kite/api/v1/auth/logout", {}, 200, {"authorization": f"Bearer {self.access}"})

    def _ask(self, path, body, expect, headers=None):
        status, answer = http(self.base + path, body, headers, timeout=60)
        if status != expect:
            raise Failure(f"{path} answered {status} and not {expect}: {answer[:400]!r}")
        return json.loads(answer)
