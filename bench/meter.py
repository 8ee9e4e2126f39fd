"""Stands between a function and the engine, has the engine say what each call costs, and tells which calls were one round trip.

Each call is kept back for a moment, so that those that a function makes side by side are there together.
"""

import contextlib
import http.client
import http.server
import json
import threading
import time
import urllib.parse

HELD_BACK = 0.03


class Meter:
    def __init__(self, engine):
        self._engine = urllib.parse.urlsplit(engine)
        self._lock = threading.Lock()
        self._calls = []
        self.url = None

    @contextlib.contextmanager
    def running(self):
        meter = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                asked = self.rfile.read(int(self.headers["content-length"]))
                status, headers, answered = meter._pass_on(self.headers, asked)
                self.send_response_only(status)
                for name, value in headers:
                    if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                        self.send_header(name, value)
                self.send_header("content-length", str(len(answered)))
                self.end_headers()
                self.wfile.write(answered)

            def log_message(self, *_):
                pass

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, daemon=True).start()
            self.url = f"http://127.0.0.1:{server.server_port}"
            try:
                yield self
            finally:
                server.shutdown()

    def _pass_on(self, headers, asked):
        began = time.monotonic()
        body = json.loads(asked) | {"ReturnConsumedCapacity": "INDEXES"}
        time.sleep(HELD_BACK)
        connection = http.client.HTTPConnection(self._engine.hostname, self._engine.port)
        kept = {name: value for name, value in headers.items() if name.lower() not in ("host", "content-length", "connection")}
        connection.request("POST", self._engine.path or "/", json.dumps(body), kept)
        answer = connection.getresponse()
        answered = answer.read()
        connection.close()
        operation = headers["x-amz-target"].rsplit(".", 1)[1]
        with self._lock:
            self._calls.append((operation, began, time.monotonic(), len(asked), len(answered), json.loads(answered or b"{}")))
        return answer.status, answer.getheaders(), answered

    def read(self):
        """What was called since it was read last: calls by operation, round trips, capacity units of table and indexes, bytes."""
        with self._lock:
            calls, self._calls = sorted(self._calls, key=lambda call: call[1]), []
        operations, trips, over = {}, 0, 0.0
        reads = writes = 0.0
        for operation, began, ended, _, _, answered in calls:
            operations[operation] = operations.get(operation, 0) + 1
            # What begins while another is under way is the same round trip.
            if began >= over:
                trips, over = trips + 1, ended
            consumed = answered.get("ConsumedCapacity") or []
            for table in consumed if isinstance(consumed, list) else [consumed]:
                # Of the table with its indexes.
                units = table.get("CapacityUnits", 0.0)
                if operation in ("GetItem", "BatchGetItem", "Query"):
                    reads += units
                else:
                    writes += units
        return {
            "calls": dict(sorted(operations.items())), "round_trips": trips, "read_units": reads, "write_units": writes,
            "sent_bytes": sum(call[3] for call in calls), "received_bytes": sum(call[4] for call in calls),
        }
