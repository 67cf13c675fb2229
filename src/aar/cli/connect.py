"""Connect an agent of your own: print its MCP configuration, with a token that opens one researcher's routes."""

from __future__ import annotations

import json as jsons
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from aar.cli.console import Json, Lab, run_command
from aar.errors import NotFound
from aar.settings import LabFolder

app = typer.Typer(no_args_is_help=True)
SERVER = "aar-lab"


def _claude_code(line: dict[str, Any]) -> str:
    env = [part for key, value in line["env"].items() for part in ("-e", f"{key}={value}")]
    return shlex.join(["claude", "mcp", "add", SERVER, *env, "--", line["command"], *line["args"]])


def _codex(line: dict[str, Any]) -> str:
    env = ", ".join(f"{key} = {jsons.dumps(value)}" for key, value in line["env"].items())
    return f"[mcp_servers.{SERVER}]\ncommand = {jsons.dumps(line['command'])}\nargs = {jsons.dumps(line['args'])}\nenv = {{ {env} }}"


def _servers(line: dict[str, Any]) -> str:
    return jsons.dumps({"mcpServers": {SERVER: line}}, indent=2)


def _vscode(line: dict[str, Any]) -> str:
    return jsons.dumps({"servers": {SERVER: {"type": "stdio", **line}}}, indent=2)


AGENTS: dict[str, tuple[str, Callable[[dict[str, Any]], str]]] = {
    "claude-code": ("run once, in the folder the agent works in", _claude_code),
    "codex": ("append to ~/.codex/config.toml", _codex),
    "cursor": ("write to .cursor/mcp.json", _servers),
    "claude-desktop": ("merge into claude_desktop_config.json", _servers),
    "gemini": ("merge into .gemini/settings.json", _servers),
    "vscode": ("write to .vscode/mcp.json", _vscode),
    "other": ("the usual form of an MCP client", _servers),
}


@app.command()
def bridge() -> None:
    """What the printed configurations start: the lab's tools on stdin and stdout, over $AAR_SERVER with $AAR_TOKEN."""
    from aar.lab.mcp import bridge as run
    from aar.task.client import LabClient

    run(LabClient.from_environment())


def _agent(name: str) -> Callable[..., None]:
    def command(
        researcher: Annotated[str, typer.Argument(help="The researcher's name; made if new.")],
        study: Annotated[str | None, typer.Option(help="The study it works in.")] = None,
        elsewhere: Annotated[
            bool,
            typer.Option(
                help="The agent runs under another account or on another host, so that it cannot read the lab: it may rank."
            ),
        ] = False,
        lab: Lab = None,
        json: Json = False,
    ) -> None:
        with run_command(json) as out:
            line, may = configuration(LabFolder.find(lab), researcher, study, elsewhere)
            where, form = AGENTS[name]
            ranks = "it may rank" if may else "it never ranks: an agent on the lab's own account could read the labels"
            out.show(
                {"agent": name, "config": line, "text": form(line)},
                f"{where}:",
                "",
                form(line),
                "",
                f"{researcher} plays as an external researcher; {ranks}",
            )

    command.__doc__ = f"A configuration for {name}."
    return command


for _name in AGENTS:
    app.command(_name)(_agent(_name))


def configuration(
    folder: LabFolder, researcher: str, study: str | None, elsewhere: bool
) -> tuple[dict[str, Any], bool]:
    """{command, args, env} of the bridge, and whether it may rank. A member of a study keeps the token it has there."""
    from aar.lab import tokens
    from aar.lab.store import Store
    from aar.studies.spec import StudyFolder

    kept = StudyFolder(folder, study).root / "tokens.json" if study else Path("/nonexistent")
    token = jsons.loads(kept.read_text()).get(researcher) if kept.exists() else None
    ranks = elsewhere and token is None
    if token is None:
        if not folder.database.exists():
            raise NotFound(f"no lab at {folder.root}", hint="aar serve, or name it with --lab")
        store = Store(folder.database)
        store.migrate()
        token = tokens.create(store, researcher, study=study, kind="external" if elsewhere else tokens.UNSANDBOXED)
    env = {"AAR_SERVER": str(folder.sockets / researcher / "api.sock"), "AAR_TOKEN": token}
    return {"command": sys.executable, "args": ["-m", "aar.cli", "connect", "bridge"], "env": env}, ranks
