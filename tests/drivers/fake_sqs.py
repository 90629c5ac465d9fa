"""A stand-in for SQS that misbehaves as it is told: what no emulator does.

    fake = FakeSqs()
    fake.next("SendMessageBatch", error("ThrottlingException"))   # the next call of it

It keeps messages like a standard queue, without any timing.
"""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Fields = dict[str, Any]
#: Returns an answer, or None for what is usual; may raise `Cut`.
Misdeed = Callable[[Fields], tuple[int, Fields] | None]


class Cut(Exception):
    """The connection ends without an answer; *done*: what was asked is done all the same."""

    def __init__(self, *, done: bool) -> None:
        self.done = done


def error(code: str, status: int = 400) -> Misdeed:
    """Answer with an error."""
    return lambda asked: (status, {"__type": f"com.amazonaws.sqs#{code}", "message": "so it is"})


def lost(asked: Fields) -> None:
    """Do it, and let the answer be lost."""
    raise Cut(done=True)


class FakeSqs:
    """See the module."""

    def __init__(self) -> None:
        self.attributes: dict[str, str] = {"MaximumMessageSize": "1048576"}
        self.messages: dict[str, list[Fields]] = defaultdict(list)
        self.calls: list[tuple[str, Fields]] = []
        self.skew = 0.0
        self._misdeeds: dict[str, deque[Misdeed]] = defaultdict(deque)
        self._handles = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def next(self, operation: str, *misdeeds: Misdeed) -> None:
        """Have the next calls of *operation* go wrong."""
        self._misdeeds[operation].extend(misdeeds)

    def bodies(self, queue: str = "q") -> list[str]:
        """What lies in a queue."""
        return [message["Body"] for message in self.messages[queue]]

    def asked(self, operation: str) -> list[Fields]:
        """Every call of *operation* so far."""
        return [asked for name, asked in self.calls if name == operation]

    # Serving

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                operation = self.headers["X-Amz-Target"].rpartition(".")[2]
                try:
                    status, answer = fake.answer(operation, asked)
                except Cut:
                    self.close_connection = True
                    return
                body = json.dumps(answer).encode()
                self.send_response_only(status)
                self.send_header("Date", formatdate(time.time() + fake.skew, usegmt=True))
                self.send_header("Content-Type", "application/x-amz-json-1.0")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler

    def answer(self, operation: str, asked: Fields) -> tuple[int, Fields]:
        with self._lock:
            self.calls.append((operation, asked))
            misdeeds = self._misdeeds[operation]
            misdeed = misdeeds.popleft() if misdeeds else None
            usual = getattr(self, f"_{operation}", lambda asked: {})
            try:
                found = misdeed(asked) if misdeed else None
            except Cut as cut:
                if cut.done:
                    usual(asked)
                raise
            return found or (200, usual(asked))

    def _GetQueueUrl(self, asked: Fields) -> Fields:  # noqa: N802
        return {"QueueUrl": f"{self.endpoint}/1/{asked['QueueName']}"}

    def _GetQueueAttributes(self, asked: Fields) -> Fields:  # noqa: N802
        count = len(self.messages[_name(asked)])
        return {"Attributes": {**self.attributes, "ApproximateNumberOfMessages": str(count)}}

    def _SendMessageBatch(self, asked: Fields) -> Fields:  # noqa: N802
        sent = []
        for entry in asked["Entries"]:
            self._handles += 1
            self.messages[_name(asked)].append(
                {
                    "MessageId": f"m{self._handles}",
                    "Body": entry["MessageBody"],
                    "MessageAttributes": entry.get("MessageAttributes", {}),
                    "Attributes": {
                        "SentTimestamp": str(int((time.time() + self.skew) * 1000)),
                        "ApproximateReceiveCount": "0",
                    },
                }
            )
            sent.append({"Id": entry["Id"], "MessageId": f"m{self._handles}"})
        return {"Successful": sent, "Failed": []}

    def _ReceiveMessage(self, asked: Fields) -> Fields:  # noqa: N802
        found = []
        for message in self.messages[_name(asked)]:
            if "ReceiptHandle" in message or len(found) == asked["MaxNumberOfMessages"]:
                continue
            self._handles += 1
            message["ReceiptHandle"] = f"h{self._handles}"
            count = int(message["Attributes"]["ApproximateReceiveCount"]) + 1
            message["Attributes"]["ApproximateReceiveCount"] = str(count)
            found.append(message)
        return {"Messages": found} if found else {}

    def _DeleteMessageBatch(self, asked: Fields) -> Fields:  # noqa: N802
        handles = {entry["ReceiptHandle"] for entry in asked["Entries"]}
        kept = [m for m in self.messages[_name(asked)] if m.get("ReceiptHandle") not in handles]
        self.messages[_name(asked)] = kept
        return {"Successful": [{"Id": entry["Id"]} for entry in asked["Entries"]], "Failed": []}

    def _ChangeMessageVisibilityBatch(self, asked: Fields) -> Fields:  # noqa: N802
        for entry in asked["Entries"]:
            for message in self.messages[_name(asked)]:
                same = message.get("ReceiptHandle") == entry["ReceiptHandle"]
                if same and not entry["VisibilityTimeout"]:
                    del message["ReceiptHandle"]
        return {"Successful": [{"Id": entry["Id"]} for entry in asked["Entries"]], "Failed": []}


def _name(asked: Fields) -> str:
    return str(asked["QueueUrl"]).rpartition("/")[2]


def failing(code: str, *, number: int = 0, sender: bool = False) -> Misdeed:
    """Let one entry of the batch fail; the others were not done either, and say they were."""

    def answer(asked: Fields) -> tuple[int, Fields]:
        entries = [entry["Id"] for entry in asked["Entries"]]
        failed = [{"Id": entries[number], "Code": code, "SenderFault": sender, "Message": "no"}]
        done = [{"Id": one, "MessageId": one} for one in entries if one != entries[number]]
        return 200, {"Successful": done, "Failed": failed}

    return answer
