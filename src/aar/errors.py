"""Everything that can go wrong, sorted by whose fault it is.

    AarError                   .message  .code  .hint  .fault  .status
    ├── InputError             fault "you":      a wrong argument, file or request           (HTTP 4xx, exit 1)
    │   ├── NotFound           ... names something that does not exist                       (404)
    │   ├── Refused            ... not allowed: token, scope, path                           (403)
    │   ├── Conflict           ... the same key or name with other content                   (409)
    │   └── BudgetSpent        ... allowed, but nothing is left to pay for it                (429)
    ├── MethodError            fault "method":   the researcher's code failed or broke a rule (422)
    │   └── Unsupported        ... asks a model for what it cannot do: "not run on this student"
    ├── LabError               fault "lab":      our own code or state is wrong              (500, alarms)
    └── ProviderDown           fault "provider": a sandbox, model hub or API is unavailable  (503, retry)

A message says who is at fault and what the rule is, a hint what to do next. A score that could not be
measured is not an error: it is `NotScored` in `aar.types`.
"""

from __future__ import annotations

from typing import ClassVar


class AarError(Exception):
    """Base of every error that is meant to be read by a person."""

    fault: ClassVar[str] = "lab"
    status: ClassVar[int] = 500
    default_code: ClassVar[str] = "error"

    def __init__(self, message: str, *, code: str | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.hint = hint

    def as_json(self) -> dict[str, dict[str, str]]:
        """The body of an HTTP error reply and of a failed `--json` command."""
        return {"error": {"code": self.code, "message": self.message, "hint": self.hint}}

    def __str__(self) -> str:
        return f"{self.message}\n  -> {self.hint}" if self.hint else self.message


class InputError(AarError):
    fault, status, default_code = "you", 422, "bad_input"


class NotFound(InputError):
    status, default_code = 404, "not_found"


class Refused(InputError):
    status, default_code = 403, "refused"


class Conflict(InputError):
    status, default_code = 409, "conflict"


class BudgetSpent(InputError):
    status, default_code = 429, "budget_spent"


class MethodError(AarError):
    fault, status, default_code = "method", 422, "method_failed"


class Unsupported(MethodError):
    default_code = "unsupported"


class LabError(AarError):
    fault, status, default_code = "lab", 500, "lab_fault"


class ProviderDown(AarError):
    fault, status, default_code = "provider", 503, "provider_down"
