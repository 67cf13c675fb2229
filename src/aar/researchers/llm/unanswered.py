"""A request to a model that gave no answer: whether it may have been billed, and whether a second try can help."""

from __future__ import annotations

FINAL = (400, 401, 402, 403, 404)
UNBILLED = (503, 529)


class Unanswered(Exception):
    """A request to the model that gave no answer. `billed`: it may have been. `final`: no second try can help."""

    def __init__(self, why: str, billed: bool, final: bool) -> None:
        super().__init__(why)
        self.billed, self.final = billed, final


def unanswered(error: BaseException) -> Unanswered:
    """Whatever an SDK raises. Refused and overloaded requests are not billed; one that broke, on the way or inside the
    provider, may have been."""
    while error.__cause__ and not hasattr(error, "status_code"):
        error = error.__cause__
    status = getattr(error, "status_code", None)
    why = f"{type(error).__name__}: {error}"[:500]
    if status is None or (status >= 500 and status not in UNBILLED):
        return Unanswered(why, billed=True, final=False)
    return Unanswered(why, billed=False, final=status in FINAL)
