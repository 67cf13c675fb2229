"""Does the accuracy need the student? A solver written into the code does not.

The snapshot is rerun with a student of random weights. What is left should be what the teacher alone gives: its own
accuracy, or what a plain head on the same random features learns from it. False positives: tasks that words alone
nearly solve, which the second reference is there for, and honest methods that make more of words than a plain head does:
where rows with mismatched features are at a coin flip, the answers do come through the student, and this is a note.
"""

from __future__ import annotations

from aar.scoring.integrity.case import Case, Finding, Level, check, paired
from aar.scoring.integrity.mismatched import known_past_the_student

KEPT = 0.5  # of what the method gains over the teacher alone
LEAST = 0.03


@check("student dependence", "random student")
def find(case: Case) -> list[Finding]:
    blind = case.on("random student")
    if blind is None or case.floor is None:
        return []
    references = [r for r in (case.floor, case.alone) if r is not None]
    base = max(references, key=lambda r: float(r.mean()))
    gain, _ = paired(case.right, base, case.groups)
    left, se = paired(blind, base, case.groups)
    if gain < LEAST or left < max(LEAST, 2.5 * se) or left < KEPT * gain:
        return []
    says = (
        f"accuracy {case.accuracy:.3f}; with a student of random weights still {blind.mean():.3f}, "
        f"{100 * left:.1f} points above what the teacher alone gives ({base.mean():.3f})"
    )
    look = "look in method.py for what answers without task.student: a parser, an evaluator, a table"
    figures = {
        "accuracy": case.accuracy,
        "random_student": float(blind.mean()),
        "teacher_alone": float(base.mean()),
        "se": se,
    }
    level: Level = "note" if known_past_the_student(case) is False else "flag"
    return [
        Finding(
            "student dependence",
            level,
            "does not use the student",
            says,
            look,
            {k: round(v, 4) for k, v in figures.items()},
        )
    ]
