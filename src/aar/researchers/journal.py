"""What a researcher did, written down before it is done: a kill at any moment loses nothing and repeats nothing paid.

    {"step", "call", "args": digest, "t"}         sent, on disk before the call is made
    {"step", "answer": ...} or {"step", "error"}  what came back, on disk before the researcher hears of it

A resumed researcher makes the same calls again. One with an answer on disk gets that answer; one that was sent but has
none is sent again under the same key, which the lab answers once. Another call at a step than the recorded one
means that the researcher is not deterministic: an error, never a guess. Knows no call by name.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from aar import errors
from aar.errors import AarError, BudgetSpent, InputError, LabError, MethodError, NotFound


@dataclass
class _Step:
    call: str
    args: str
    done: bool = False
    answer: Any = None
    error: dict[str, str] | None = None


@dataclass(frozen=True)
class Told:
    """What a step gave, and whether it was read from disk."""

    step: int
    answer: Any
    replayed: bool


@dataclass
class Journal:
    """`Journal(path, "study/name")`: one process at a time holds it. `elapsed_s` counts all sessions' working time."""

    path: Path
    prefix: str
    _steps: list[_Step] = field(default_factory=list)
    _at: int = 0
    _before_s: float = 0.0

    def __post_init__(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[bytes] = self.path.open("a+b", buffering=0)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise LabError(
                f"{self.path} is held by another process", code="journal_held", hint="the study is running already"
            ) from error
        self._load()
        self._began = time.monotonic()

    @property
    def elapsed_s(self) -> float:
        return self._before_s + time.monotonic() - self._began

    @property
    def step(self) -> int:
        """The number of the next call."""
        return self._at

    @property
    def replaying(self) -> bool:
        """Whether the next call's answer is on disk."""
        return self._at < len(self._steps) and self._steps[self._at].done

    def call(self, name: str, args: Any, act: Callable[[str], Any]) -> Told:
        """`act(key)` once over all sessions, as far as its server honours the key. `args`: anything JSON.

        Answers and the caller's own errors are facts and are kept; a lab that is down or a study that is stopped is
        none: the step stays open, and a later session asks again.
        """
        index, digest = self._at, _digest(args)
        self._at += 1
        if index < len(self._steps):
            step = self._steps[index]
            if (step.call, step.args) != (name, digest):
                raise LabError(
                    f"step {index} of {self.path} was {step.call}, now it is {name}",
                    code="journal_mismatch",
                    hint="the researcher must act by its seed and its answers alone",
                )
            if step.done:
                return Told(index, _recorded(step), replayed=True)
        else:
            self._append({"step": index, "call": name, "args": digest})
            self._steps.append(step := _Step(name, digest))
        try:
            step.answer = act(f"{self.prefix}/{index}")
        except AarError as error:
            if not is_fact(error):
                raise
            step.error = {"kind": type(error).__name__, **error.as_json()["error"]}
            self._append({"step": index, "error": step.error})
            step.done = True
            raise
        self._append({"step": index, "answer": step.answer})
        step.done = True
        return Told(index, step.answer, replayed=False)

    def close(self) -> None:
        self._file.close()

    def _append(self, line: dict[str, Any]) -> None:
        """On disk when it returns. A line that could not be written whole is taken back."""
        end = os.fstat(self._file.fileno()).st_size
        data = json.dumps({**line, "t": round(self.elapsed_s, 2)}).encode() + b"\n"
        try:
            if self._file.write(data) != len(data):
                raise OSError("short write")
            os.fsync(self._file.fileno())
        except OSError as error:
            os.ftruncate(self._file.fileno(), end)
            raise LabError(
                f"the journal {self.path} cannot be written: {error}",
                code="journal_full",
                hint="free disk space, then resume the study",
            ) from error

    def _load(self) -> None:
        """Take in what is on disk; a last line that was cut short by a kill never happened."""
        self._file.seek(0)
        data = self._file.read()
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) < len(data):
            os.ftruncate(self._file.fileno(), len(whole))
        for number, raw in enumerate(whole.splitlines(), 1):
            try:
                self._take(json.loads(raw))
            except (ValueError, KeyError, IndexError, TypeError) as error:
                raise LabError(
                    f"{self.path}, line {number}: not a journal line",
                    code="bad_journal",
                    hint="restore the file from a copy; nothing was changed",
                ) from error

    def _take(self, line: dict[str, Any]) -> None:
        index, self._before_s = line["step"], line["t"]
        if "call" in line:
            if index != len(self._steps):
                raise ValueError("a step out of order")
            self._steps.append(_Step(line["call"], line["args"]))
        else:
            step = self._steps[index]
            step.done, step.answer, step.error = True, line.get("answer"), line.get("error")


def _digest(args: Any) -> str:
    return hashlib.sha256(json.dumps(args, sort_keys=True).encode()).hexdigest()[:24]


def is_fact(error: AarError) -> bool:
    """True of any later session too. A refusal or a conflict (the study is stopped) may be over by then."""
    return isinstance(error, BudgetSpent | NotFound | MethodError) or type(error) is InputError


def _recorded(step: _Step) -> Any:
    if step.error is None:
        return step.answer
    kind = getattr(errors, step.error["kind"], InputError)
    assert issubclass(kind, AarError)
    raise kind(step.error["message"], code=step.error["code"], hint=step.error["hint"])
