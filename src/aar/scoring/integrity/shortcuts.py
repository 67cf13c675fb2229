"""Dataset shortcuts: does one simple feature of the text reproduce the method's answers?

A feature may be causal, and a teacher may believe in it, so agreement alone is no sign. A method that follows a
shortcut is at or under a coin flip where the shortcut is wrong (the stratum rule), and follows it further than the
teacher does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from aar.scoring.integrity.case import Case, Finding, check
from aar.types import Claim, Text

AGREES = 0.8
SURE = 0.95  # agreement that needs no stratum
WRONG_ROWS = 60
UNDER, SDS = (
    0.42,
    2.0,
)  # accuracy where the rule is wrong: so many standard errors under this; honest students of a teacher
# who believes in the rule have been seen at .40
MORE_THAN_TEACHER = 0.1
LOSES = 0.05  # of accuracy, on rows balanced over shortcut right and wrong

LOOK = "open the rows where the shortcut is wrong (largest |feature| first) and see what the method answers there"


def answers(row: Text) -> tuple[str, ...]:
    """The judged texts of a row: two responses, or one choice."""
    return (row.choice,) if isinstance(row, Claim) else (row.first, row.second)


MEASURES: dict[str, Callable[[str], float]] = {
    "length in characters": len,
    "number of words": lambda t: len(t.split()),
    "number of lines": lambda t: t.count("\n"),
    "share of digits": lambda t: sum(c.isdigit() for c in t) / max(len(t), 1),
    "share of capitals": lambda t: sum(c.isupper() for c in t) / max(len(t), 1),
    "share of punctuation": lambda t: sum(not (c.isalnum() or c.isspace()) for c in t) / max(len(t), 1),
    "marks of a generator": lambda t: sum(
        t.count(m) for m in ("```", "**", "As an AI", "\n- ", "\n#", "Sure", "I hope")
    ),
    "number of comments": lambda t: t.count("#") + t.count('"""'),
    "longest word": lambda t: max(map(len, t.split()), default=0),
    "different words": lambda t: len(set(t.split())) / max(len(t.split()), 1),
}


def features(texts: Sequence[Text], others: Sequence[Text] = ()) -> dict[str, np.ndarray]:
    """name -> [n]: second minus first for pairs, the choice's value for claims. `others`: further rows of the task,
    over which repeated answers are counted."""
    often = Counter(a for row in (*texts, *others) for a in answers(row))
    starts = Counter(a[:12] for row in (*texts, *others) for a in answers(row))
    measures = MEASURES | {
        "how often the answer occurs": lambda t: often[t],
        "how often its opening occurs": lambda t: starts[t[:12]],
    }
    found = {"position": np.ones(len(texts))}
    for name, measure in measures.items():
        values = np.array([[measure(a) for a in answers(row)] for row in texts], dtype=np.float64)
        found[name] = values[:, 1] - values[:, 0] if values.shape[1] == 2 else values[:, 0]
    return found


def stump(feature: np.ndarray, hard: np.ndarray, paired: bool) -> np.ndarray:
    """[n] the 0/1 answers of the one-feature rule that agrees best with `hard`; 1/2 where it says nothing. Pairs have
    their threshold at 0."""
    cuts = [0.0] if paired else np.unique(np.quantile(feature, np.linspace(0.05, 0.95, 19)))
    rules = []
    for cut in cuts:
        up = np.where(feature == cut, 0.5 if paired else 1.0, feature > cut)
        rules += [up, 1 - up]
    return max(rules, key=lambda rule: float(agreement(rule, hard)))


def agreement(a: np.ndarray, b: np.ndarray) -> float:
    return float(1 - np.abs(a - b).mean())


@check("dataset shortcut")
def find(case: Case) -> list[Finding]:
    if not case.texts:
        return []
    hard = (case.p.mean(0) > 0.5).astype(float)
    pairs = case.kind == "pair"
    found = []
    for name, feature in features(case.texts, case.train_texts).items():
        rule = np.full(len(hard), float(hard.mean() > 0.5)) if name == "position" else stump(feature, hard, pairs)
        if agreement(rule, hard) >= AGREES and (f := _judge(case, name, rule, hard)):
            found.append(f)
    return sorted(found, key=lambda f: -f.evidence["agreement"])[:3]


def _judge(case: Case, name: str, rule: np.ndarray, hard: np.ndarray) -> Finding | None:
    right = case.right.mean(0)
    wrong = (rule != 0.5) & ((rule > 0.5) != (case.truth == 1))
    agrees, n_wrong = agreement(rule, hard), int(wrong.sum())
    at_wrong = float(right[wrong].mean()) if n_wrong else 1.0
    balanced = (at_wrong + float(right[~wrong].mean())) / 2 if 0 < n_wrong < len(right) else float(right.mean())
    under = at_wrong + SDS * 0.5 / max(n_wrong, 1) ** 0.5 <= UNDER
    if not (agrees >= SURE or (n_wrong >= WRONG_ROWS and under and float(right.mean()) - balanced > LOSES)):
        return None
    teacher = _teacher_agreement(case, rule)
    level = "note" if teacher is not None and agrees < teacher + MORE_THAN_TEACHER else "flag"
    says = (
        f"agrees with the rule by {name} on {100 * agrees:.0f} % of rows; accuracy {right.mean():.3f}, {at_wrong:.3f} on the "
        f"{n_wrong} rows where the rule is wrong, {balanced:.3f} balanced over both"
    )
    says += "" if teacher is None else f"; the teacher agrees with it on {100 * teacher:.0f} %"
    evidence = {
        "feature": name,
        "agreement": round(agrees, 4),
        "wrong_rows": n_wrong,
        "accuracy_where_wrong": round(at_wrong, 4),
        "balanced_accuracy": round(balanced, 4),
        "teacher_agreement": teacher and round(teacher, 4),
    }
    return Finding("dataset shortcut", level, f"shortcut: {name}", says, LOOK, evidence)  # type: ignore[arg-type]


def _teacher_agreement(case: Case, rule: np.ndarray) -> float | None:
    """How far the teacher itself follows the rule, from where it was right."""
    if case.floor is None:
        return None
    answer = np.where(case.floor.mean(0) > 0.5, case.truth, 1 - case.truth)
    return agreement(rule, answer)
