#!/opt/venv/bin/python -I
"""The lab's tools as a command: `lab` lists them, `lab submit mine --claimed 0.4` uses one. Runs in the sandbox, knows nothing."""

import argparse
import json
import socket
from pathlib import Path

HERE = Path(__file__).resolve().parent
TYPES = {"string": str, "number": float, "integer": int}


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser("lab", description="What you may ask of the lab. `lab TOOL --help` says more.")
    tools = made.add_subparsers(dest="tool", required=True, metavar="TOOL")
    for tool in json.loads((HERE / "tools.json").read_text()):
        one = tools.add_parser(tool["name"], help=tool["what"], description=tool["what"])
        for name, schema in tool["schema"]["properties"].items():
            many = schema["type"] == "array"
            kind = TYPES[schema["items"]["type"] if many else schema["type"]]
            flag = name if name in tool["schema"]["required"] else f"--{name}"
            one.add_argument(flag, type=kind, help=schema["description"], nargs="*" if many else None)
    return made


def main() -> int:
    args = {name: value for name, value in vars(parser().parse_args()).items() if value is not None}
    for name in ("folder", "path"):
        if name in args:
            args[name] = str(Path(args[name]).absolute())
    with socket.socket(socket.AF_UNIX) as counter:
        counter.connect(str(HERE / "counter.sock"))
        counter.sendall(json.dumps({"tool": args.pop("tool"), "args": args}).encode() + b"\n")
        answer = json.loads(counter.makefile("rb").readline())
    print(answer["text"])
    return int(answer["text"].startswith("error: "))


if __name__ == "__main__":
    raise SystemExit(main())
