"""The counter: a unix socket in a folder that the sandbox is shown, where a person's `lab` command asks for tools.

One JSON object a line, one a connection: {"tool", "args"} -> {"text"}. The folder also holds the command and its list of tools.
"""

from __future__ import annotations

import json
import socketserver
import threading
from pathlib import Path

from aar.errors import AarError
from aar.researchers.llm.asked import Asked

REQUEST_CAP = 1 << 20
COMMAND = Path(__file__).with_name("lab.py")


class Counter:
    """`with Counter(folder, asked) as counter:`. `ended` is set when the person is done, or by `fault`."""

    def __init__(self, folder: Path, asked: Asked) -> None:
        self.asked = asked
        self.ended = threading.Event()
        self.fault: AarError | None = None
        (folder / "lab").write_bytes(COMMAND.read_bytes())
        (folder / "lab").chmod(0o755)
        tools = [{"name": t.name, "what": t.what, "schema": t.schema} for t in asked.offered]
        (folder / "tools.json").write_text(json.dumps(tools))
        self._server = _Server(str(folder / "counter.sock"), _handler(self))

    def __enter__(self) -> Counter:
        threading.Thread(target=self._server.serve_forever, args=(0.5,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, line: bytes) -> str:
        try:
            asked = json.loads(line)
            tool, args = str(asked["tool"]), dict(asked["args"])
        except (ValueError, TypeError, KeyError, RecursionError):
            return 'error: not {"tool": NAME, "args": {...}} on one line'
        if tool == "finish":
            self.ended.set()
            return "bye"
        try:
            return self.asked.use(tool, args)
        except AarError as fault:
            self.fault = self.fault or fault
            self.ended.set()
            return f"error: {fault}"


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


def _handler(counter: Counter) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            if not (line := self.rfile.readline(REQUEST_CAP)):
                return  # only to see whether somebody is here
            text = counter.answer(line)
            self.wfile.write(json.dumps({"text": text}).encode() + b"\n")

    return Handler
