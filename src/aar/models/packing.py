"""Texts that begin alike, packed into one sequence, so that a causal model reads their common beginning once.

A pack is a tree of tokens in depth-first order. Every text is a path through it; a token attends to the tokens before
it on its own path and to no other, at the position it has in its text. What comes out is what the texts give one by one,
up to rounding. The two sides of a pair share a question and often much of the answer. Knows no models.

Tree attention: Miao et al. 2024, SpecInfer (arXiv:2305.09781), section 4.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Sized
from dataclasses import dataclass, field
from itertools import takewhile

Ids = Sequence[int]
LIMIT = 256  # tokens of a pack of several texts: attention costs the square of it
COMMON = 1 / 8  # of a text's tokens must be shared, else it is read by itself
BATCH = 1024  # tokens of a batch, padding included: what activations fit into a core's cache


@dataclass
class Pack:
    """`texts`: positions in what was packed. `tokens`, `depth` [t]: token ids, and their place in their own text.
    `paths`: of each text, the places in `tokens` that it goes through."""

    texts: list[int] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    depth: list[int] = field(default_factory=list)
    paths: list[list[int]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.tokens)

    def add(self, text: int, ids: Ids, shared: int) -> None:
        """A text whose first `shared` tokens are those of the text added before it."""
        new = range(len(self), len(self) + len(ids) - shared)
        self.texts.append(text)
        self.tokens += ids[shared:]
        self.depth += range(shared, len(ids))
        self.paths.append((self.paths[-1][:shared] if shared else []) + list(new))


def pack(ids: Sequence[Ids], limit: int = LIMIT) -> list[Pack]:
    """Every text in one pack, the shortest packs first. `limit` 0: each by itself."""
    packs: list[Pack] = []
    before: Ids = ()
    for text in sorted(range(len(ids)), key=lambda i: list(ids[i])):
        shared = common(before, ids[text])
        fits = packs and len(packs[-1]) + len(ids[text]) - shared <= limit
        if not fits or shared <= COMMON * len(ids[text]):
            packs.append(Pack())
            shared = 0
        packs[-1].add(text, ids[text], shared)
        before = ids[text]
    return sorted(packs, key=len)


def common(a: Ids, b: Ids) -> int:
    """How many tokens the two begin with together."""
    return sum(1 for _ in takewhile(lambda two: two[0] == two[1], zip(a, b, strict=False)))


def by_length(items: Sequence[Sized], tokens: int = BATCH) -> Iterator[list[int]]:
    """Positions in batches of alike length, the shortest first: padded to its longest, one holds at most `tokens` (or is
    a single item)."""
    batch: list[int] = []
    for i in sorted(range(len(items)), key=lambda i: len(items[i])):
        if batch and (len(batch) + 1) * len(items[i]) > tokens:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch
