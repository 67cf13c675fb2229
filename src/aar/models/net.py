"""`HeadNet`: a trainable head as a torch module, for methods that write their own loop. Knows stored features only.

net = student.open(seed)
optimiser = torch.optim.AdamW(net.parameters(), lr=0.02)
for rows, index in net.batches(task.train):
    loss = f(net.logits(rows), target[index]); loss.backward(); optimiser.step(); optimiser.zero_grad()
model = net.freeze()
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from aar.errors import MethodError, Unsupported
from aar.models.heads import Head, forward, initial, spread
from aar.types import Rows

if TYPE_CHECKING:
    from aar.models.student import HeadStudent, TrainedHead


class HeadNet(torch.nn.Module):
    """A head with a gradient. The first rows it reads set the scale of its features (read the training rows first),
    unless it goes on from a trained head."""

    def __init__(self, student: HeadStudent, seed: int = 0, head: Head | None = None) -> None:
        super().__init__()
        self.student, self.seed = student, seed
        self.scaling = (head.shift, head.scale) if head else None
        self.known: list[tuple[Rows, Tensor]] = []  # the rows read last: own loops ask for them again and again
        fresh = {k: torch.from_numpy(v.copy()) for k, v in head.params.items()} if head else None
        for name, value in (fresh or initial(student.kind, student.shape, student.store.width, seed)).items():
            self.register_parameter(name, torch.nn.Parameter(value))

    def logits(self, rows: Rows) -> Tensor:
        """[n], with gradient to the parameters."""
        x, shift, scale = self._read(rows)
        return forward({k: p[None] for k, p in self.named_parameters()}, shift[None], scale[None], x)[0]

    def hidden(self, rows: Rows) -> Tensor:
        """[n, d]: the scaled features that the head sees. No gradient: the body is frozen."""
        x, shift, scale = self._read(rows)
        return (x - shift) / scale

    def logprob(self, prompts: Sequence[str], completions: Sequence[Sequence[str]]) -> Tensor:
        raise Unsupported("a head has no trainable log-probabilities", hint="student.score gives frozen ones")

    def get_vector(self) -> np.ndarray:
        """All parameters as one f32 vector."""
        return torch.nn.utils.parameters_to_vector(self.parameters()).detach().numpy().copy()

    def set_vector(self, vector: np.ndarray) -> None:
        given = torch.as_tensor(np.asarray(vector, np.float32))
        if given.numel() != (need := sum(p.numel() for p in self.parameters())):
            raise MethodError(f"set_vector got {given.numel()} numbers, this net has {need} parameters")
        torch.nn.utils.vector_to_parameters(given, self.parameters())

    def batches(self, rows: Rows, batch_size: int = 32) -> Iterator[tuple[Rows, np.ndarray]]:
        """One epoch in the order of the seed, another in every call: (rows of the batch, their positions in `rows`)."""
        self._read(rows)
        self.seed += 1
        order = np.random.default_rng(self.seed).permutation(len(rows))
        for start in range(0, len(order), batch_size):
            index = order[start : start + batch_size]
            yield rows.take(index), index

    def freeze(self) -> TrainedHead:
        """The head as it is now, as a Model."""
        from aar.models.student import TrainedHead

        if self.scaling is None:
            raise MethodError("this net has not read any rows yet", hint="call logits(task.train) first")
        params = {k: p.detach().numpy().copy() for k, p in self.named_parameters()}
        return TrainedHead(self.student, Head(self.student.kind, params, *self.scaling))

    def _read(self, rows: Rows) -> tuple[Tensor, Tensor, Tensor]:
        """(unscaled features [n, d], shift [d], scale [d])."""
        features = next((x for known, x in self.known if known is rows), None)
        if features is None:
            features = torch.from_numpy(self.student.read(rows.texts))
            self.known = [(rows, features), *self.known[:3]]
        if self.scaling is None:
            self.scaling = spread(features.numpy(), self.student.kind)
        shift, scale = self.scaling
        return features, torch.from_numpy(shift), torch.from_numpy(scale)
