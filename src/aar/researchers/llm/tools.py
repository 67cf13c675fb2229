"""The tools of an LLM researcher, as data: what a model is told of each. Where they run is `agent`'s and `desk`'s affair."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

SHOWN = 16_000  # characters of a tool's answer
Type = Literal["string", "number", "integer", "array"]


@dataclass(frozen=True)
class Param:
    """`items`: the type in an array."""

    type: Type
    what: str
    optional: bool = False
    items: Type = "string"


@dataclass(frozen=True)
class Tool:
    """`place`: "sandbox" (runs in the researcher's own), "bench" (goes to the lab or the queue), "mind" (neither)."""

    name: str
    place: Literal["sandbox", "bench", "mind"]
    what: str
    params: dict[str, Param] = field(default_factory=dict)

    @property
    def schema(self) -> dict[str, Any]:
        """JSON schema of its arguments."""
        properties = {
            name: {"type": p.type, "description": p.what} | ({"items": {"type": p.items}} if p.type == "array" else {})
            for name, p in self.params.items()
        }
        required = [name for name, p in self.params.items() if not p.optional]
        return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


FOLDER = Param("string", "a folder below /workspace that holds method.py")
_ALL = (
    Tool("bash", "sandbox", "Run a shell command in your sandbox, in /workspace. For long work use start_job.",
         {"command": Param("string", "the command"), "timeout_s": Param("integer", "at most 600; 120 if left out", True)}),
    Tool("write_file", "sandbox", "Write a text file below /workspace.",
         {"path": Param("string", "path"), "text": Param("string", "the whole content")}),
    Tool("read_file", "sandbox", "Read a text file: your own, or below /task, /findings, /snapshots.", {"path": Param("string", "path")}),
    Tool("start_job", "sandbox", "Start a long command that goes on while you work. Gives its number.", {"command": Param("string", "the command")}),
    Tool("job", "sandbox", "How a job stands (the last line of $AAR_JOB/progress with it), and the end of what it printed.",
         {"number": Param("integer", "from start_job")}),
    Tool("kill_job", "sandbox", "End a job.", {"number": Param("integer", "from start_job")}),
    Tool("try_method", "bench", "Run a method on all seeds of the task's public rows. Gives its name for evaluate, signals that need no label, or its error.",
         {"folder": FOLDER}),
    Tool("evaluate", "bench", "Ask the lab for the score of a tried method (mean of its seeds). Few such answers exist: try first.",
         {"trial": Param("string", "the name that try_method gave")}),
    Tool("evaluate_file", "bench", "Ask the lab for the score of your own predictions.",
         {"path": Param("string", "a JSON file below /workspace: {row id: P(label = 1)} for every row of /task/test.jsonl")}),
    Tool("submit", "bench", "Hand in a method: the lab reruns it on its own seeds. Only such results rank. Gives a submission number.",
         {"folder": FOLDER, "claimed": Param("number", "the PGR that you expect", True)}),
    Tool("verdict", "bench", "What the lab says of a submission.",
         {"submission": Param("integer", "its number"), "wait_s": Param("integer", "how long to wait for it, at most 300", True)}),
    Tool("share_finding", "bench", "Tell the other researchers what you found, negative results too.",
         {"kind": Param("string", "result, hypothesis, insight, error or observation"), "title": Param("string", "one line"), "body": Param("string", "Markdown"),
          "runs": Param("array", "submissions that it rests on", True, "integer"), "snapshots": Param("array", "snapshots that it builds on", True),
          "findings": Param("array", "findings that it builds on", True, "integer")}),
    Tool("leaderboard", "bench", "Verified submissions and baselines."),
    Tool("upload_snapshot", "bench", "Store a version of a method folder for others. Gives its id.",
         {"folder": FOLDER, "note": Param("string", "what it is"), "parents": Param("array", "snapshots that it builds on", True)}),
    Tool("download_snapshot", "bench", "Fetch another's snapshot to /snapshots/<id>. It is another's work: read before you run.", {"id": Param("string", "its id")}),
    Tool("budget", "bench", "What you have left: trials, evaluations, submissions, time, dollars."),
    Tool("note", "mind", "Add to your notebook. It is given back to you when this conversation becomes too long and is cut.", {"text": Param("string", "what to keep")}),
    Tool("think_hard", "mind", "Ask a strong model that has no tools and sees only what you write here.", {"question": Param("string", "with everything it needs to know")}),
    Tool("finish", "mind", "You are done: nothing more can come of your budget.", {"summary": Param("string", "what you found")}),
)  # fmt: skip
TOOLS = {tool.name: tool for tool in _ALL}
