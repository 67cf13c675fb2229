"""Chat preferences: HelpSteer2 and HelpSteer3 for training and test, RM-Bench and RewardBench 2 out of distribution.

Rows per source as in the reference study; how it divided the training rows is not published, so ours is by question.
Layouts: the cards of nvidia/HelpSteer2, nvidia/HelpSteer3, THU-KEG/RM-Bench and allenai/reward-bench-2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from aar.testbeds.full.beds import Candidate, Folders, FullBed, full_beds
from aar.testbeds.full.sources import Source, blank, conversation, file_name, number, text, texts, transcript
from aar.testbeds.jsonl import Record
from aar.types import Pair

HELPSTEER2 = Source(
    "HelpSteer2", "nvidia/HelpSteer2", "990b2711a36180dd19d9c94b8627844866f8982a", ("preference/*.jsonl*",)
)
HELPSTEER3 = Source(
    "HelpSteer3", "nvidia/HelpSteer3", "f6d145777bcbde96137596340fab89793acd1031", ("preference/*.jsonl*",)
)
RM_BENCH = Source("RM-Bench", "THU-KEG/RM-Bench", "main", ("*.json", "data/chat_filtered.json"))
REWARD_BENCH = Source(
    "reward-bench-2",
    "allenai/reward-bench-2",
    "7ff08853b0d5686e79b13fda8677024f566a104a",
    ("data/*.parquet",),
    ("prompt", "chosen", "rejected", "subset"),
)
STRENGTHS = {1: "slight", 2: "clear", 3: "strong"}
STYLES = ("concise", "detailed", "markdown")  # RM-Bench: the three versions of each response, in this order
TURN = re.compile(r"\s*<extra_id_1>(\w+)\n")  # between the turns of a HelpSteer2 prompt


def candidates(folders: Folders) -> Iterator[Candidate]:
    for record in HELPSTEER2.records(folders["HelpSteer2"]):
        yield from helpsteer2(record)
    for record in HELPSTEER3.records(folders["HelpSteer3"]):
        yield from helpsteer3(record)
    for record in RM_BENCH.records(folders["RM-Bench"]):
        yield from rm_bench(record)
    for record in REWARD_BENCH.records(folders["reward-bench-2"]):
        yield from reward_bench(record)


def helpsteer2(record: Record) -> Iterator[Candidate]:
    """{split, prompt, response_1, response_2, preference_strength}: -3 the first is much better, 3 the second."""
    first, *later = TURN.split(text(record, "prompt"))
    prompt = conversation([("user", first), *zip(later[::2], later[1::2], strict=True)])
    pool = "train" if text(record, "split") == "train" else "helpsteer2-val"
    yield from _preferred(record, pool, "helpsteer2", prompt, "response_1", "response_2", "preference_strength")


def helpsteer3(record: Record) -> Iterator[Candidate]:
    """{domain, language, context: messages, response1, response2, overall_preference}; train and validation files."""
    if text(record, "domain").lower() != "general" or text(record, "language").lower() != "english":
        return
    pool = "helpsteer3-val" if file_name(record).startswith("validation") else "train"
    prompt = transcript(record, "context")
    yield from _preferred(record, pool, "helpsteer3", prompt, "response1", "response2", "overall_preference")


def _preferred(
    record: Record, pool: str, subset: str, prompt: str, first: str, second: str, strength: str
) -> Iterator[Candidate]:
    """Ties and empty responses give no row."""
    if blank(record, first, second) or not prompt.strip():
        return
    by = number(record, strength)
    if by:
        good, bad = (first, second) if by < 0 else (second, first)
        pair = Pair(prompt, text(record, good), text(record, bad))
        yield Candidate(record.where, pool, pair, 0, subset, STRENGTHS.get(abs(by), str(abs(by))))


def rm_bench(record: Record) -> Iterator[Candidate]:
    """{prompt, chosen: [3], rejected: [3], domain}: right and wrong in the same style, so that style tells nothing."""
    if record.fields.get("domain", "chat") != "chat":
        return
    both = zip(STYLES, texts(record, "chosen"), texts(record, "rejected"), strict=False)
    for style, right, wrong in both:
        pair = Pair(text(record, "prompt"), right, wrong)
        yield Candidate(record.where, "rm-bench-chat", pair, 0, "rm-bench-chat", style)


def reward_bench(record: Record) -> Iterator[Candidate]:
    """{prompt, chosen: [1], rejected: [3], subset}: one pair a prompt of the subset Focus."""
    if text(record, "subset") == "Focus":
        pair = Pair(text(record, "prompt"), texts(record, "chosen")[0], texts(record, "rejected")[0])
        yield Candidate(record.where, "reward-bench-2-focus", pair, 0, "reward-bench-2-focus", "")


full_beds.register("chat-full")(
    FullBed(
        (HELPSTEER2, HELPSTEER3, RM_BENCH, REWARD_BENCH),
        {
            "test": {"helpsteer2-val": 363, "helpsteer3-val": 500},
            "ood": {"reward-bench-2-focus": 200, "rm-bench-chat": 200},
            "labeled": {"train": 2245},
            "unlabeled": {"train": 6826},
        },
        read=candidates,
    )
)
