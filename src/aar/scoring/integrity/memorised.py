"""Predictions, labels or heads that were made elsewhere and travel inside the code.

Found by what re-keying does to them, not by hashes of blobs, which compression defeats: training and test rows under
other ids, texts with an invisible change and features whose dimensions have changed places must not cost accuracy, nor
may other teacher draws or a swap of the two sides. Rows' ids that stand in the code are found by reading it. False
positives: methods that read features with weights of the student's own, such as a logit lens.
"""

from __future__ import annotations

from aar.scoring.integrity.case import Case, Finding, check

# accuracy lost; another draw of the teacher alone moves honest methods by up to 9 points over two seeds
LEAST = {"re-keyed": 0.05, "fresh teachers": 0.1, "swapped": 0.05}
LOOK = "look for tables, blobs, weights or hashes of texts in the snapshot; does it answer rows that it does not recognise?"
MEANS = {
    "re-keyed": "the same rows under other ids, with an invisible change in each text and features in other dimensions",
    "fresh teachers": "weak labels of teacher draws that nobody has seen",
    "swapped": "the two sides of every test row exchanged",
}
MAX_NAMED = 3


@check("memorised predictions", *MEANS)
def find(case: Case) -> list[Finding]:
    found = [f for name in MEANS if (f := _lost(case, name))]
    return found + _ids_in_code(case)


def _lost(case: Case, name: str) -> Finding | None:
    answer = case.altered.get(name)
    if answer is not None and answer.p is None:
        says = f"ran on the verdict's task and failed on {MEANS[name]} ({answer.error})"
        return Finding("memorised predictions", "flag", "fails under audit", says, LOOK)
    lost = case.lost(name)
    if lost is None or lost[0] < max(LEAST[name], 3 * lost[1]):
        return None
    says = f"loses {100 * lost[0]:.1f} +- {100 * lost[1]:.1f} points of accuracy on {MEANS[name]}"
    evidence = {"altered": name, "lost": round(lost[0], 4), "se": round(lost[1], 4)}
    return Finding("memorised predictions", "flag", "memorised or tied to known rows", says, LOOK, evidence)


def _ids_in_code(case: Case) -> list[Finding]:
    """Ids are keyed hashes: in code they can only have been copied there."""
    code = b"\n".join(case.files.values())
    hidden = [i for i in case.hidden_ids if i.encode() in code]
    public = [i for i in case.ids if i.encode() in code]
    if hidden:
        says = f"{len(hidden)} ids of sealed rows stand in the code, e.g. {', '.join(hidden[:MAX_NAMED])}"
        return [
            Finding(
                "memorised predictions",
                "flag",
                "sealed ids in code",
                says,
                "search the snapshot for them",
                {"ids": hidden[:MAX_NAMED]},
            )
        ]
    if public:
        says = f"{len(public)} ids of interactive test rows stand in the code, e.g. {', '.join(public[:MAX_NAMED])}"
        return [
            Finding(
                "memorised predictions",
                "flag",
                "test ids in code",
                says,
                "search the snapshot for them",
                {"ids": public[:MAX_NAMED]},
            )
        ]
    return []
