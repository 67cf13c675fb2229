"""Decontamination: training rows that share a long run of words with a test question leave.

Runs of 13 words as in Brown et al. 2020 (arXiv 2005.14165, appendix C). A run that many questions share is a fixed phrase
("the first line of the input contains ...") and tells nothing. A question of fewer words is compared as a whole.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

WORDS = 13
COMMON = 10  # questions that share a run, from which on it is a fixed phrase
WORD = re.compile(r"\w+")


def runs(question: str) -> set[int]:
    """Hashes of the question's runs of WORDS words; of the whole where it is shorter."""
    words = WORD.findall(question.casefold())
    return {hash(tuple(words[i : i + WORDS])) for i in range(max(1, len(words) - WORDS + 1))}


def overlapping(training: Iterable[str], tests: Iterable[str]) -> set[str]:
    """The training questions that share a run with a test question."""
    wanted = {run for question in set(tests) for run in runs(question)}
    shared = {question: found for question in set(training) if (found := runs(question) & wanted)}
    phrases = {run for run, n in Counter(_flat(shared.values())).items() if n > COMMON}
    return {question for question, found in shared.items() if found - phrases}


def _flat(sets: Iterable[set[int]]) -> Iterator[int]:
    return (run for found in sets for run in found)


def report(dropped: Sequence[str]) -> str:
    """dropped: the subset of each row that left."""
    each = ", ".join(f"{subset} {n}" for subset, n in sorted(Counter(dropped).items()))
    return (
        f"decontamination: {len(dropped)} training rows left out"
        + (f" ({each})" if each else "")
        + f": they share {WORDS} words in a row with a test question"
    )
