"""The audit log: every way of tampering is found and the entry is named."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest

from aar.errors import ProviderDown
from aar.lab.audit import AuditLog, _canonical, _hash
from aar.lab.services import Lab, open_lab


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    log = AuditLog(tmp_path / "state" / "audit.jsonl", tmp_path / "sealed" / "audit.key", tmp_path / "out" / "x.head")
    for i in range(1, 11):
        log.append("ann", "evaluate", {"n": i, "what": "é"})
    return log


def lines(log: AuditLog) -> list[bytes]:
    return log.path.read_bytes().splitlines(keepends=True)


def again(log: AuditLog) -> AuditLog:
    """The same log, opened by another process."""
    return AuditLog(log.path, log.path.parent.parent / "sealed" / "audit.key", log.head_outside)


def test_an_untouched_log_is_whole(log: AuditLog) -> None:
    """Also after it was opened again and went on."""
    assert again(log).append("bob", "submit") == 11
    assert log.append("ann", "submit") == 12
    report = log.verify()
    assert report.ok
    assert report.entries == 12


def test_removed(log: AuditLog) -> None:
    """An entry taken out of the middle is named."""
    there = lines(log)
    log.path.write_bytes(b"".join(there[:4] + there[5:]))
    assert log.verify().problems == ["entry 5 was removed"]


def test_the_first_entry_removed(log: AuditLog) -> None:
    """The start is not special."""
    log.path.write_bytes(b"".join(lines(log)[1:]))
    assert log.verify().problems == ["entry 1 was removed"]


def test_truncated(log: AuditLog) -> None:
    """What is missing at the end is known from the signed head, also when everything is gone."""
    log.path.write_bytes(b"".join(lines(log)[:8]))
    assert log.verify().problems == ["entry 9 was cut off the end", "entry 10 was cut off the end"]
    log.path.write_bytes(b"")
    assert len(log.verify().problems) == 10


def test_truncated_with_one_of_the_heads(log: AuditLog) -> None:
    """An old copy of the log folder, head included, is caught by the head that is kept outside."""
    log_then, head_then = log.path.read_bytes(), log.head_beside.read_bytes()
    log.append("ann", "shameful")
    log.path.write_bytes(log_then)
    log.head_beside.write_bytes(head_then)
    assert log.verify().problems == ["entry 11 was cut off the end"]


def test_changed(log: AuditLog) -> None:
    """A changed body, actor or time is named."""
    for old, new in ((b'"n":3', b'"n":4'), (b'"actor":"ann"', b'"actor":"eve"'), (b'"time":"2', b'"time":"1')):
        before = lines(log)
        after = [line.replace(old, new) if i == 2 else line for i, line in enumerate(before)]
        assert after != before
        log.path.write_bytes(b"".join(after))
        assert log.verify().problems == ["entry 3 was changed"]
        log.path.write_bytes(b"".join(before))


def test_reordered(log: AuditLog) -> None:
    """Two entries that changed places are named."""
    there = lines(log)
    there[3], there[6] = there[6], there[3]
    log.path.write_bytes(b"".join(there))
    problems = log.verify().problems
    assert "entry 4 was moved: it stands after entry 7" in problems
    assert not any("removed" in p for p in problems)


def test_repeated_and_unreadable(log: AuditLog) -> None:
    """A line written twice, and one that is not an entry."""
    there = lines(log)
    log.path.write_bytes(b"".join([*there[:5], there[4], *there[5:]]))
    assert log.verify().problems == ["entry 5 appears twice"]
    log.path.write_bytes(b"".join([*there[:4], b"{}\n", *there[5:]]))
    assert log.verify().problems == ["line 5 is not an entry: it was changed", "entry 5 was removed"]


def test_a_rewritten_chain(log: AuditLog) -> None:
    """Who can compute hashes but not sign is found out, and the first false entry is named."""
    forged, prev = [], "0" * 64
    for i, line in enumerate(lines(log)):
        entry = json.loads(line)
        if i == 5:
            entry["body"] = {"n": "nothing happened"}
        entry["prev"] = prev
        entry["hash"] = prev = _hash(entry)
        forged.append(_canonical(entry) + b"\n")
    log.path.write_bytes(b"".join(forged))
    problems = log.verify().problems
    assert problems[0] == "entry 6 was rewritten: this lab did not sign it"
    assert len(problems) == 5


def test_entries_of_two_pasts_do_not_follow(log: AuditLog) -> None:
    """An old copy that went on by itself signs entries of its own: one of them in place of another is named."""
    files = (log.path, log.head_beside, log.head_outside)
    then = [path.read_bytes() for path in files]
    log.append("ann", "shameful")
    log.append("ann", "next")
    now, heads = lines(log), [path.read_bytes() for path in files[1:]]
    for path, data in zip(files, then, strict=True):
        path.write_bytes(data)
    again(log).append("ann", "harmless")
    log.path.write_bytes(b"".join([*now[:10], lines(log)[-1], now[-1]]))
    for path, data in zip(files[1:], heads, strict=True):
        path.write_bytes(data)
    assert log.verify().problems == ["entry 12 does not follow from entry 11"]


def test_a_missing_or_forged_head(log: AuditLog) -> None:
    """Without its outside head a log cannot vouch for its end; opening it again leaves a trace of that."""
    log.head_outside.write_text("99 " + "0" * 64 + " 0\n" + "00" * 64 + "\n")
    assert any("missing or forged" in p for p in log.verify().problems)
    log.head_outside.unlink()
    assert again(log).verify().ok
    assert b"audit.head_missing" in lines(log)[-1]


def test_going_on_after_tampering_hides_nothing(log: AuditLog) -> None:
    """A server that goes on writing to a log that was cut leaves the gap open."""
    log.path.write_bytes(b"".join(lines(log)[:8]))
    assert again(log).append("ann", "next") == 11
    assert log.verify().problems == ["entry 9 was removed", "entry 10 was removed"]


def test_a_half_written_line(log: AuditLog) -> None:
    """What a crash left of a line that nobody was told of is dropped, and the log is whole."""
    with open(log.path, "ab") as file:
        file.write(b'{"seq":11,"time":"20')
    assert again(log).append("ann", "next") == 11
    assert log.verify().ok


def test_entries_beyond_the_head(log: AuditLog) -> None:
    """A crash between the entry and the head loses nothing; a forged entry beyond the head is named."""
    head = log.head_beside.read_bytes()
    log.append("ann", "next")
    for path in (log.head_beside, log.head_outside):
        path.write_bytes(head)
    assert log.verify().ok
    entry = json.loads(lines(log)[-1]) | {"seq": 12, "prev": json.loads(lines(log)[-1])["hash"]}
    entry["hash"] = _hash(entry)
    with open(log.path, "ab") as file:
        file.write(_canonical(entry) + b"\n")
    assert log.verify().problems == ["entry 12 was rewritten: this lab did not sign it"]


def test_a_large_entry(log: AuditLog) -> None:
    """An entry longer than what is read back at a time does not break the chain."""
    log.append("ann", "long", {"text": "x" * 500_000})
    log.append("ann", "next")
    assert again(log).append("ann", "next") == 13
    assert log.verify().ok


def test_many_writers(log: AuditLog) -> None:
    """Threads and second openers take turns; nothing is lost."""
    logs = [log, again(log)]
    threads = [
        threading.Thread(target=lambda k=k: [logs[k % 2].append(f"t{k}", "go", {"i": i}) for i in range(20)])
        for k in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report = log.verify()
    assert report.ok
    assert report.entries == 90


def test_speed(log: AuditLog) -> None:
    """At least 300 entries a second where many wait together."""
    start = time.perf_counter()
    log.append_many([("ann", "evaluate", {"n": i}) for i in range(600)])
    assert time.perf_counter() - start < 2.0
    assert log.verify().entries == 610


def test_a_failing_disk(log: AuditLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry that cannot be written is an error, and leaves the log as it was."""
    before = log.path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("aar.lab.audit.os.fsync", full)
    with pytest.raises(ProviderDown):
        log.append("ann", "lost")
    monkeypatch.undo()
    assert log.path.read_bytes() == before
    assert log.append("ann", "next") == 11
    assert log.verify().ok


def test_recorded_acts_reach_the_log_once(lab: Lab) -> None:
    """What a transaction recorded is in the log when it returns; a rolled back act is not; reopening adds nothing."""
    with lab.store.transaction():
        lab.store.record("ann", "one")
        lab.store.record("ann", "two")
    with pytest.raises(RuntimeError), lab.store.transaction():  # noqa: PT012
        lab.store.record("ann", "never")
        raise RuntimeError
    again_open = open_lab(lab.folder, lab.scorer)
    actions = [json.loads(line)["action"] for line in lab.audit.path.read_bytes().splitlines()]
    assert actions == ["one", "two"]
    assert again_open.audit.verify().ok


def test_acts_of_a_crash_are_caught_up(lab: Lab) -> None:
    """Committed acts whose log line was lost to a crash are written when the lab opens again."""
    lab.store.after_commit.clear()
    lab.store.record("ann", "before the crash")
    assert lab.audit.path.read_bytes() == b""
    assert b"before the crash" in open_lab(lab.folder, lab.scorer).audit.path.read_bytes()
