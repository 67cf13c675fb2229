"""One study from start to stop: a served lab, a task folder, a token and a sandbox for each researcher, and their brains.

Everything that was acknowledged lies in the lab's database and in the researchers' journals, so running a study again
after a kill of anything, at any time, goes on where it was. Ctrl-C and SIGTERM stop it cleanly. Scores nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from aar.errors import AarError, Conflict, LabError, NotFound, ProviderDown
from aar.executors.local import LocalExecutor
from aar.lab import room
from aar.lab.client import LabClient
from aar.lab.service import RETRIES, Served
from aar.lab.store import Store
from aar.models import weights
from aar.researchers.hands import RESEARCH_LIMITS, Hands, open_hands
from aar.sandboxes.network import opened
from aar.scoring.layout import plain_seeds, research_task, student_folder
from aar.scoring.problem import Card, Problem
from aar.settings import LabFolder
from aar.studies.board import publish_baselines
from aar.studies.brains import Brains, Told
from aar.studies.events import EventLog, Observe, StudyEvent, read_events
from aar.studies.exits import Exits
from aar.studies.notices import CODES, Notices
from aar.studies.programs import program
from aar.studies.pulse import Pulse
from aar.studies.spec import Member, StudyFolder, StudySpec, write_private

TICK_S = 0.2
SOCKET_S = 30.0
LEAST_FREE_MB = 64


@dataclass(frozen=True)
class Outcome:
    """How a session of a study ended. `unsettled`: submissions without a verdict yet."""

    study: str
    complete: bool
    trials: int
    configurations: int
    evaluations: int
    submissions: int
    unsettled: int
    seconds: float


def run_study(
    lab: LabFolder, name: str, observe: Observe | None = None, stop: threading.Event | None = None
) -> Outcome:
    """Run it, or go on with it, until its budgets are spent or `stop` is set. Raises what stopped it, and what to do."""
    folder = StudyFolder(lab, name)
    spec, start = folder.load(), time.monotonic()
    stop = stop or threading.Event()
    with (
        held(folder),
        _signals(stop),
        Notices(folder) as notices,
        contextlib.closing(EventLog(folder.events, notices.hearing(observe))) as log,
    ):
        try:
            _check(lab, spec)
            unsettled = _session(folder, spec, log, stop)
        except AarError as error:
            notices.tell(CODES.get(error.code, "failed"), error.message)
            raise _with_next(error, name) from error
        except OSError as error:
            if not room.behind(error):
                raise
            notices.tell("disk_full", str(error))
            raise _with_next(room.full(lab.root), name) from error
        done = counts(read_events(folder.events))
        log.tell(
            "", "study", "stopped" if stop.is_set() else "complete", state="stopped" if stop.is_set() else "complete"
        )
    return Outcome(name, not stop.is_set(), unsettled=unsettled, seconds=round(time.monotonic() - start, 1), **done)


def counts(events: Iterator[StudyEvent]) -> dict[str, int]:
    """Trials, distinct configurations among them (by program), evaluations and submissions so far."""
    seen, of = set(), dict.fromkeys(("trial", "evaluation", "submission"), 0)
    for event in events:
        if event.kind in of:
            of[event.kind] += 1
        if event.kind == "trial":
            seen.add(program(str(event.data.get("source"))))
    return {
        "trials": of["trial"],
        "configurations": len(seen),
        "evaluations": of["evaluation"],
        "submissions": of["submission"],
    }


def _session(folder: StudyFolder, spec: StudySpec, log: EventLog, stop: threading.Event) -> int:
    """Returns how many submissions are left without a verdict."""
    log.tell("", "study", f"{len(spec.researchers)} researchers on {spec.problem}", state="open", until_s=spec.wall_s)
    _prepare_task(folder, spec)
    publish_baselines(folder.lab, Problem.parse(spec.problem))
    started = lambda pid: log.tell("", "study", f"lab server started (process {pid})", state="open", pid=pid)  # noqa: E731
    with Served(folder.lab, spec.workers, keep=True, on_start=started) as served:
        clients = enrol(folder, spec, served.client)
        pulse = Pulse(spec.name, lambda: served.client, next(iter(clients.values())), folder.findings, log, folder.lab)
        with pulse, LocalExecutor(reruns_elsewhere=pulse.reruns) as executor, Exits(folder, spec) as exits:
            pulse.catch_up()
            queue = Told(executor, log, on_fault=lambda error: stop.set())
            brains = Brains(folder, spec, clients, lambda member: _hands(folder, spec, member, exits), queue, log, stop)
            with brains:
                _wait(lambda: brains.working > 0, brains, served, pulse, stop)
            if len(brains.failed) == len(spec.researchers):
                raise LabError(
                    f"every researcher failed, {brains.failed[0]} first",
                    code="researchers_failed",
                    hint=f"see {folder.events}",
                )
            if not stop.is_set():
                _settle(spec, log, brains, served, pulse, stop)
        left = len(pulse.unsettled())
        if not stop.is_set():
            served.client.call("POST", f"studies/{spec.name}/stop")
    return left


def _wait(going: Callable[[], bool], brains: Brains, served: Served, pulse: Pulse, stop: threading.Event) -> None:
    """Until it is over or somebody stops it; raises a fault that lasts."""
    while going() and not stop.is_set():
        if (now := brains.folder.load()) != brains.spec:
            brains.retune(now)
        if fault := served.fault or pulse.fault:
            raise fault
        _check_model(Problem.parse(brains.spec.problem))
        if pulse.stopped_by_owner.is_set():
            stop.set()
        time.sleep(TICK_S)
    if brains.fault:
        raise brains.fault


def _settle(
    spec: StudySpec, log: EventLog, brains: Brains, served: Served, pulse: Pulse, stop: threading.Event
) -> None:
    """Give the last reruns their time."""
    pulse.catch_up()
    if waiting := pulse.unsettled():
        log.tell("", "study", f"waits for {len(waiting)} verdicts", state="settling", submissions=waiting)
    end = time.monotonic() + spec.verdict_s
    _wait(lambda: bool(pulse.unsettled()) and time.monotonic() < end, brains, served, pulse, stop)


# -- what must be there first


def _check(lab: LabFolder, spec: StudySpec) -> None:
    room.check(lab.root, LEAST_FREE_MB)
    problem = Problem.parse(spec.problem)
    Card.load(lab, problem)
    _check_model(problem)
    with contextlib.closing(Store(lab.database)) as store:
        store.migrate()
        with store.transaction() as session:
            session.connection()  # raises where somebody else holds the database


def _check_model(problem: Problem) -> None:
    """NotFound where the student's files have gone: sandboxes and reruns would fail one by one and be blamed."""
    folder = weights.find(problem.lm)
    if not any(folder.glob("*.safetensors")):
        raise NotFound(
            f"the weights of {problem.lm} have gone from {folder}", code="no_model", hint="bring them back (make setup)"
        )


def _prepare_task(folder: StudyFolder, spec: StudySpec) -> None:
    """Public rows and weak labels, once: what researchers were shown does not change under them."""
    folder.findings.mkdir(parents=True, exist_ok=True)
    if (folder.task / "task.json").exists():
        return
    part = folder.task.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    problem = Problem.parse(spec.problem)
    part.mkdir(parents=True)
    research_task(
        folder.lab, problem, part, plain_seeds(range(spec.seeds), Card.load(folder.lab, problem)), in_sandbox=True
    )
    part.rename(folder.task)


def enrol(folder: StudyFolder, spec: StudySpec, owner: LabClient) -> dict[str, LabClient]:
    """The study open in the lab, and a client per researcher on its own socket. Tokens are kept (0600) for later sessions."""
    with contextlib.suppress(Conflict):
        owner.call("POST", "studies", {"name": spec.name, "problem": spec.problem})
    owner.call("POST", f"studies/{spec.name}/open")  # Conflict where it is finalized
    path = folder.root / "tokens.json"
    tokens: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    for member in spec.researchers:
        if member.name not in tokens:
            body = {"name": member.name, "study": spec.name, "direction": member.direction, "kind": member.kind}
            tokens[member.name] = owner.call("POST", "tokens", body)["token"]
            write_private(path, tokens)
    sockets = {m.name: folder.lab.sockets / m.name / "api.sock" for m in spec.researchers}
    end = time.monotonic() + SOCKET_S
    while missing := [name for name, socket in sockets.items() if not socket.exists()]:
        if time.monotonic() > end:
            raise ProviderDown(
                f"researcher {missing[0]} got no socket", code="no_socket", hint=f"see {folder.lab.root}/server.log"
            )
        time.sleep(0.05)
    return {name: LabClient(socket, tokens[name], retries=RETRIES) for name, socket in sockets.items()}


def _hands(folder: StudyFolder, spec: StudySpec, member: Member, exits: Exits) -> Hands:
    """No socket of the lab's inside: a brain calls the lab from out here, and what it tries has no business there."""
    student, home = student_folder(Problem.parse(spec.problem)), folder.home(member.name)
    grants = spec.assignment(member).grants
    sandbox, limits = opened(grants.provider(), exits.of(member.name)), grants.over(RESEARCH_LIMITS, home)
    return open_hands(home, folder.task, folder.lab.features, student, folder.findings, sandbox=sandbox, limits=limits)


@contextlib.contextmanager
def held(folder: StudyFolder) -> Iterator[None]:
    """One process a study; the kernel frees the lock when its holder dies."""
    with (folder.root / "runner.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Conflict(
                f"study {folder.name!r} is running already",
                code="study_running",
                hint=f"aar study status {folder.name}; aar study stop {folder.name}",
            ) from error
        yield


@contextlib.contextmanager
def _signals(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM ask for a clean stop; a second one does not wait."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}

    def asked(number: int, frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    for number in before:
        signal.signal(number, asked)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _with_next(error: AarError, name: str) -> AarError:
    """The same fault, with the next command in its hint."""
    if "aar " not in error.hint:
        error.hint = f"{error.hint}; then: {_next(name)}" if error.hint else _next(name)
    return error


def _next(name: str) -> str:
    return f"aar study resume {name}"
