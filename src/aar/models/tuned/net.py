"""`TunedNet`: a finetuned student as a torch module, for methods that write their own loop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from aar.errors import MethodError
from aar.models.tuned.loop import applied
from aar.types import Rows

if TYPE_CHECKING:
    from aar.models.tuned.student import TunedModel, TunedStudent


class TunedNet(torch.nn.Module):
    """Trainable weights (one lane) over the student's base. Everything but `batches` carries a gradient."""

    def __init__(self, student: TunedStudent, weights: dict[str, Tensor], seed: int = 0) -> None:
        super().__init__()
        self.student, self.seed = student, seed
        self.weights: dict[str, Tensor] = {}
        for name, value in weights.items():
            self.weights[name] = parameter = torch.nn.Parameter(value.detach().clone())
            self.register_parameter(name.replace(".", "/"), parameter)

    def logits(self, rows: Rows) -> Tensor:
        """[n]: log-odds of label 1."""
        return self.student.base.logits(self.hidden(rows), self.student.kind)

    def hidden(self, rows: Rows) -> Tensor:
        """[n, d]: the last state at the label position."""
        base = self.student.base
        with applied(base, self.weights, self.student.rules):
            return base.states(base.encode(rows.texts))

    def logprob(self, prompts: Sequence[str], completions: Sequence[Sequence[str]]) -> Tensor:
        """[n, k]: log-probability of each completion given its prompt."""
        base = self.student.base
        starts = base.tokenizer(list(prompts))["input_ids"]
        with applied(base, self.weights, self.student.rules):
            rows = [
                torch.stack([self._one(start, c) for c in some])
                for start, some in zip(starts, completions, strict=True)
            ]
        return torch.stack(rows)

    def _one(self, start: list[int], completion: str) -> Tensor:
        base = self.student.base
        end: list[int] = base.tokenizer(completion, add_special_tokens=False)["input_ids"]
        ids = torch.tensor([(start + end)[-base.context :]], device=base.device)
        states = base.model.base_model(input_ids=ids[:, :-1], use_cache=False).last_hidden_state[0, -len(end) :]
        logp = base.model.get_output_embeddings()(states).float().log_softmax(-1)
        return logp[torch.arange(len(end)), ids[0, -len(end) :]].sum()

    def get_vector(self) -> np.ndarray:
        """All parameters as one f32 vector."""
        return torch.nn.utils.parameters_to_vector(self.parameters()).detach().cpu().numpy().copy()

    def set_vector(self, vector: np.ndarray) -> None:
        given = torch.as_tensor(np.asarray(vector, np.float32), device=self.student.base.device)
        if given.numel() != (need := sum(p.numel() for p in self.parameters())):
            raise MethodError(f"set_vector got {given.numel()} numbers, this net has {need} parameters")
        torch.nn.utils.vector_to_parameters(given, self.parameters())

    def batches(self, rows: Rows, batch_size: int = 32) -> Iterator[tuple[Rows, np.ndarray]]:
        """One epoch in the order of the seed, another in every call: (rows of the batch, their positions in `rows`)."""
        self.seed += 1
        order = np.random.default_rng(self.seed).permutation(len(rows))
        for start in range(0, len(order), batch_size):
            index = order[start : start + batch_size]
            yield rows.take(index), index

    def freeze(self) -> TunedModel:
        """The student as it is now, as a Model."""
        from aar.models.tuned.student import TunedModel

        return TunedModel(self.student, {k: v.detach().clone() for k, v in self.weights.items()})
