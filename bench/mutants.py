"""Is each promise held by a test that can fail? Breaks one line at a time and runs the tests that should notice.

    python bench/mutants.py [--only PATTERN] [--json]

The list is mutants.toml: a `file` under src/aar, the exact text `old`, what is put in its place, the tests (under
tests/) that must notice, and the promise that is broken. All happens in a temporary copy. Ends with 1 where a mutant
survived, and with 2 where the list no longer fits the code or the tests fail on the code as it is.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from py_compile import PycInvalidationMode

REPOSITORY = Path(__file__).resolve().parent.parent
FAILED = 1  # pytest's exit code where tests ran and one of them failed


class Stale(Exception):
    """The list does not fit the code any more."""


@dataclass(frozen=True)
class Mutant:
    promise: str
    file: str
    old: str
    new: str
    tests: list[str]

    def broken(self, source: str) -> str:
        """The source with this one change."""
        if (there := source.count(self.old)) != 1:
            raise Stale(f"{self.file}: {self.old!r} is there {there} times, not once ({self.promise})")
        return source.replace(self.old, self.new)


@dataclass(frozen=True)
class Outcome:
    """`by`: the test that failed."""

    file: str
    promise: str
    killed: bool
    seconds: float
    by: str


def load(only: str = "") -> list[Mutant]:
    """The mutants whose file, promise or tests match; all of them are checked against the code."""
    listed = tomllib.loads((REPOSITORY / "bench" / "mutants.toml").read_text())["mutant"]
    mutants = [Mutant(**fields) for fields in listed]
    for mutant in mutants:
        mutant.broken((REPOSITORY / "src" / "aar" / mutant.file).read_text())
    return [m for m in mutants if re.search(only, " ".join((m.file, m.promise, *m.tests)))]


def copy(to: Path) -> None:
    for folder in ("src", "tests"):
        shutil.copytree(REPOSITORY / folder, to / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "pyproject.toml", to)
    # by content, not by time and size: two mutants of one length may come within a second
    compileall.compile_dir(to / "src", quiet=1, invalidation_mode=PycInvalidationMode.CHECKED_HASH)


def python(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(root / "src")}
    return subprocess.run([sys.executable, *arguments], cwd=root, env=environment, capture_output=True, text=True)


def tested(root: Path, tests: list[str]) -> subprocess.CompletedProcess[str]:
    """One process, up to the first failure."""
    return python(root, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *(f"tests/{test}" for test in tests))


def check_whole(root: Path, mutants: list[Mutant]) -> None:
    """All the tests that are named pass on the copy as it is, and it is the copy that they test."""
    where = python(root, "-c", "import aar; print(aar.__file__)").stdout
    done = tested(root, sorted({test for mutant in mutants for test in mutant.tests}))
    if done.returncode or not where.startswith(str(root)):
        raise Stale(f"the tests do not pass on the code as it is ({where.strip()})\n{done.stdout}{done.stderr}")


def run(mutant: Mutant, root: Path) -> Outcome:
    path, start = root / "src" / "aar" / mutant.file, time.monotonic()
    whole = path.read_text()
    path.write_text(mutant.broken(whole))
    try:
        done = tested(root, mutant.tests)
    finally:
        path.write_text(whole)
    if done.returncode not in (0, FAILED):
        raise Stale(f"{mutant.file}: no test ran ({mutant.promise})\n{done.stdout}{done.stderr}")
    failed = re.search(r"^(?:FAILED|ERROR) tests/(\S+)", done.stdout, re.MULTILINE)
    seconds = round(time.monotonic() - start, 1)
    return Outcome(mutant.file, mutant.promise, done.returncode == FAILED, seconds, failed[1] if failed else "")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="PATTERN", help="those whose file, promise or tests match")
    parser.add_argument("--json", action="store_true", help="a list instead of the table")
    given = parser.parse_args()
    outcomes = []
    try:
        mutants = load(given.only)
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder).resolve()
            copy(root)
            check_whole(root, mutants)
            for mutant in mutants:
                outcomes.append(told := run(mutant, root))
                if not given.json:
                    verdict = "killed" if told.killed else "SURVIVED"
                    print(f"{verdict:8} {told.seconds:6.1f} s  {told.file:36} {told.promise}", flush=True)
    except Stale as error:
        print(error, file=sys.stderr)
        return 2
    killed = sum(told.killed for told in outcomes)
    if given.json:
        print(json.dumps([asdict(told) for told in outcomes], indent=1))
    else:
        print(f"{killed} of {len(outcomes)} killed in {sum(told.seconds for told in outcomes):.0f} s")
    return int(killed < len(outcomes))


if __name__ == "__main__":
    sys.exit(main())
