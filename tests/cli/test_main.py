"""`aar`: found by looking, quick to help, one JSON document, three exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from aar.cli import main as main_module
from aar.cli.main import command_files, load_command, main


def test_help_lists_every_command_without_importing_one() -> None:
    """The help of all commands costs no import of a command, let alone of torch."""
    program = (
        "import sys\nfrom aar.cli.main import main\nassert main(['--help']) == 0\n"
        "print(sorted(m for m in sys.modules if m == 'torch' or m.startswith('aar.cli.')))"
    )
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "['aar.cli.console', 'aar.cli.main']"
    assert all(name in out for name in command_files())


def test_help_is_quick() -> None:
    """Under half a second of this machine's processor time, imports included."""
    program = "import time\nfrom aar.cli.main import main\nmain(['--help'])\nprint(time.process_time())"
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert float(out.splitlines()[-1]) < 0.5


@pytest.mark.parametrize("name", command_files())
def test_every_command_loads_and_has_a_help_line(name: str) -> None:
    """Each file in cli/ gives a command that can be asked for help."""
    assert command_files()[name]
    assert load_command(name).name == name
    assert not [option for option in load_command(name).params if "completion" in str(option.name)]


def test_a_new_file_is_a_new_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Either form is found, `app` or `command(app)`; a file with neither is no command."""
    (tmp_path / "say_hello.py").write_text(
        '"""Says hello.\n\nMore."""\nimport typer\napp: typer.Typer = typer.Typer()\n'
    )
    (tmp_path / "wave.py").write_text('"""Waves."""\ndef command(app):\n    pass\n')
    (tmp_path / "parts.py").write_text('"""Not a command."""\nX = 1\n')
    monkeypatch.setattr(main_module, "__file__", str(tmp_path / "main.py"))
    assert command_files.__wrapped__() == {"say-hello": "Says hello.", "wave": "Waves."}


def test_function_form_registers_one_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    """`command(app)` is given a Typer of its own."""
    module = type(sys)("aar.cli.greet")

    def command(app) -> None:
        @app.command()
        def greet(name: str) -> None:
            """Greets."""
            print(f"hello {name}")

    module.command = command
    monkeypatch.setitem(sys.modules, "aar.cli.greet", module)
    monkeypatch.setattr(main_module, "command_files", lambda: {"greet": "Greets."})
    assert main(["greet", "you"]) == 0
    assert capsys.readouterr().out == "hello you\n"


@pytest.mark.parametrize(
    "args", [["nonsense"], ["testbed", "nonsense"], ["testbed", "show"], ["testbed", "list", "--x"]]
)
def test_wrong_usage_is_exit_code_two(args: list[str], capsys: pytest.CaptureFixture) -> None:
    """Unknown commands, options and missing arguments: 2, with a hint; as JSON when asked."""
    assert main(args) == 2
    assert "--help" in capsys.readouterr().err
    assert main([*args, "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "usage"


def test_no_arguments_show_the_help(capsys: pytest.CaptureFixture) -> None:
    """`aar` alone is wrong usage and says how to use it."""
    assert main([]) == 2
    assert "Usage: aar" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture) -> None:
    """`aar --version` names the distribution."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("aar-lab ")


def test_a_defect_is_reported_not_dumped(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    """An exception nobody foresaw: exit code 1, one message, a traceback only on request."""

    def broken(name: str) -> None:
        raise ValueError("[bold]boo[/nonsense]")

    monkeypatch.setattr(main_module, "load_command", broken)
    assert main(["testbed", "list"]) == 1
    assert "ValueError: [bold]boo[/nonsense]" in capsys.readouterr().err
    assert main(["testbed", "list", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "internal"
    monkeypatch.setenv("AAR_DEBUG", "1")
    with pytest.raises(ValueError, match="boo"):
        main(["testbed", "list"])


def test_closed_pipe_is_no_traceback() -> None:
    """`aar --help | head -1` ends quietly."""
    call = f"{sys.executable} -m aar.cli --help | head -1"
    done = subprocess.run(["bash", "-c", call], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
