"""The shape of code: what is called is part of it, what things are named is not."""

from __future__ import annotations

from aar.scoring.integrity.shape import alike, contained, shape_of

CODE = """
def run(task):
    h = task.student.features(task.train)
    order = np.argsort(h @ h.mean(0))[: len(h) // 2]
    return task.student.fit(task.train.take(order))
"""


def shape(source: str) -> frozenset[tuple[str, ...]]:
    return shape_of({"method.py": source.encode()})


def test_what_is_called_tells_code_apart_and_names_do_not() -> None:
    """The same steps with other functions are other code."""
    assert alike(shape(CODE), shape(CODE.replace("order", "best").replace("h ", "x ").replace("(h)", "(x)"))) == 1
    assert alike(shape(CODE), shape(CODE.replace("argsort", "argpartition").replace("mean", "std"))) < 0.6


def test_code_too_short_to_tell_is_like_nothing() -> None:
    """Anybody writes three lines the same way."""
    short = shape("def run(task):\n    return task.student.predict(task.test)\n")
    assert alike(short, short) == contained(short, short) == contained(short, shape(CODE)) == 0
    assert alike(shape(CODE), shape(CODE)) == contained(shape(CODE), shape(CODE)) == 1
