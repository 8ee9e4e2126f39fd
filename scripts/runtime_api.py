"""Plays the Lambda runtime API to one process, as Lambda would: starts it, hands it events, takes its answers.

Only the standard library is used.
"""

import json
import os
import selectors
import signal
import socket
import tempfile
import time
import uuid

API = "/2018-06-01/runtime"


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


class Broken(Exception):
    """The process ended, or answered no event; with its own words, if it had any."""


class Function:
    """One start of one command. It is started on entering the block, on a processor of its own if one is named, and ended
    with it. Times are milliseconds from exec."""

    def __init__(self, command, extra, limit=15.0, processor=None):
        self.command = [str(part) for part in command]
        self.extra = extra
        self.limit = limit
        self.processor = processor
        self.ready_ms = self.answered_ms = None
        self.pid = self.waits = None
        self.log = ""

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self._log = tempfile.TemporaryFile()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        environment = lambda_environment("127.0.0.1:%d" % self._listener.getsockname()[1], self.extra)
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, self._log.fileno(), 1),
            (os.POSIX_SPAWN_DUP2, self._log.fileno(), 2),
        ]
        mine = os.sched_getaffinity(0)
        if self.processor is not None:
            os.sched_setaffinity(0, {self.processor})  # A child has its parent's.
        try:
            self.start = time.perf_counter()
            self.pid = os.posix_spawn(self.command[0], self.command, environment, file_actions=actions)
        finally:
            os.sched_setaffinity(0, mine)
        return self

    def __exit__(self, *_):
        self.stop()
        for key in list(self._selector.get_map().values()):
            if key.data:
                key.fileobj.close()
        self._listener.close()
        self._selector.close()
        self._log.seek(0)
        self.log = self._log.read().decode(errors="replace")
        self._log.close()

    def stop(self, kill=signal.SIGKILL):
        """Ends it, if it still runs."""
        if self.pid is not None:
            os.kill(self.pid, kill)
            os.waitpid(self.pid, 0)
            self.pid = None

    def ask(self, event):
        """Hands it an event once it asks for one, and returns the bytes of its answer."""
        self._event, self._answer = json.dumps(event).encode(), None
        self._id = str(uuid.uuid4())
        if self.waits:
            self._hand_over()
        end = time.perf_counter() + self.limit
        while self._answer is None:
            ready = self._selector.select(0.25)
            for key, _ in ready:
                self._take(key)
            if ready:
                continue
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                self.pid = None
                raise Broken(f"ended by itself with {os.waitstatus_to_exitcode(status)} before it answered")
            if time.perf_counter() > end:
                raise Broken(f"no answer within {self.limit:.0f} s")
        return self._answer

    def rest(self):
        """Until it asks for the next event: all that it does after an answer is done."""
        end = time.perf_counter() + self.limit
        while not self.waits and time.perf_counter() < end:
            for key, _ in self._selector.select(0.25):
                self._take(key)

    def _take(self, key):
        if key.data is None:
            sock, _ = self._listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(sock, selectors.EVENT_READ, Connection(sock))
            return
        more = key.fileobj.recv(1 << 16)
        if not more:
            self._selector.unregister(key.fileobj)
            key.fileobj.close()
            return
        for request in key.data.requests(more):
            self._request(key.data, *request)

    def _hand_over(self):
        connection, self.waits, event = self.waits, None, self._event
        self._event = None
        connection.answer(
            "200 OK",
            {
                "Content-Type": "application/json",
                "Lambda-Runtime-Aws-Request-Id": self._id,
                "Lambda-Runtime-Deadline-Ms": str(int((time.time() + self.limit) * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-central-1:123456789012:function:function",
                "Lambda-Runtime-Trace-Id": "Root=1-00000000-000000000000000000000000;Sampled=0",
            },
            event,
        )

    def _request(self, connection, method, path, headers, body):
        now = (time.perf_counter() - self.start) * 1000
        invocation = f"{API}/invocation/{self._id}"
        if (method, path) == ("GET", f"{API}/invocation/next"):
            if self.ready_ms is None:
                self.ready_ms = now
            self.waits = connection
            if self._event is not None:
                self._hand_over()
            return  # Without one the function waits, as it would between two.
        if (method, path) == ("POST", f"{invocation}/response"):
            if self.answered_ms is None:
                self.answered_ms = now
            self._answer = body
        elif (method, path) == ("POST", f"{invocation}/error"):
            raise Broken("answered with an error: " + body.decode(errors="replace"))
        elif (method, path) == ("POST", f"{API}/init/error"):
            raise Broken("could not start: " + body.decode(errors="replace"))
        else:
            connection.answer("404 Not Found", {}, b"")
            return
        connection.answer("202 Accepted", {"Content-Type": "application/json"}, b'{"status":"OK"}')
