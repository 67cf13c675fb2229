"""A finetuned student that is rewarded for what it writes: GRPO through TRL, LoRA through PEFT.

Shao et al. 2024, arXiv:2402.03300, eq. 3: of each prompt's group of samples those above the group's mean reward become more
likely, those below less, held to the untrained model by `kl`. Knows prompts and a reward, no rows. Needs the extra `rl`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aar.errors import Unsupported
from aar.models.frozen import FrozenLM, quiet
from aar.models.tuned import lora

if TYPE_CHECKING:
    from torch import Tensor

    from aar.models.tuned.student import TunedStudent

Reward = Callable[
    [Sequence[int], Sequence[str]], Sequence[float]
]  # (positions of the prompts, what was written) -> worth


@dataclass(frozen=True)
class Grpo:
    """`batch` samples a step, `group` of them a prompt (batch is a multiple of it)."""

    steps: int = 50
    group: int = 8
    batch: int = 32
    kl: float = 0.02
    lr: float = 1e-5
    temperature: float = 1.0
    max_tokens: int = 48


class Writer:
    """The student with the adapter that it was rewarded into: it writes, no more. `rewards`: the mean of each step."""

    def __init__(self, student: TunedStudent, weights: dict[str, Tensor], rewards: list[float]) -> None:
        self.student, self.weights, self.rewards = student, weights, rewards

    def generate(
        self, prompts: Sequence[str], n: int = 1, temperature: float = 1.0, max_tokens: int = 64, seed: int = 0
    ) -> list[list[str]]:
        """[len(prompts)][n] continuations."""
        base = self.student.base
        lm = FrozenLM(self.student.name, base.folder, str(base.device), "transformers")
        lm.model = base.model
        with lora.applied(base, self.weights, self.student.rules.scale):
            return lm.generate(prompts, n, temperature, max_tokens, seed)


def reinforce(student: TunedStudent, prompts: Sequence[str], reward: Reward, rules: Grpo, seed: int = 0) -> Writer:
    """Trains an adapter of the student's rank, whichever way it is finetuned otherwise. The same seed gives the same."""
    import torch

    try:
        import datasets
        import peft
        import trl
        from transformers.trainer_callback import PrinterCallback
    except ImportError as error:
        raise Unsupported(f"not run here: GRPO needs {error.name}", hint="pip install 'aar-lab[rl]'") from error

    def worth(index: list[int], completions: list[str], **_: Any) -> list[float | None]:
        return [*reward(index, completions)]

    base = student.base
    adapter = peft.LoraConfig(
        r=student.rules.rank,
        lora_alpha=student.rules.alpha,  # type: ignore[arg-type]  # any number does
        use_rslora=student.rules.rslora,
        target_modules="all-linear",
    )
    with tempfile.TemporaryDirectory(prefix="aar-grpo-") as folder, torch.random.fork_rng(), quiet():
        trainer = trl.GRPOTrainer(
            model=_copy(base),
            processing_class=base.tokenizer,
            reward_funcs=worth,
            args=_arguments(folder, rules, seed, cpu=base.device.type == "cpu"),
            train_dataset=datasets.Dataset.from_dict({"prompt": list(prompts), "index": list(range(len(prompts)))}),
            peft_config=adapter,
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    rewards = [float(step["reward"]) for step in trainer.state.log_history if "reward" in step]
    return Writer(student, _weights(base, trainer.model), rewards)


def _copy(base: Any) -> Any:
    """The base once more: PEFT changes what it is given."""
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(
        str(base.folder), dtype=base.dtype, use_safetensors=True, trust_remote_code=False, local_files_only=True
    )


def _arguments(folder: str, rules: Grpo, seed: int, cpu: bool) -> Any:
    import trl

    return trl.GRPOConfig(
        output_dir=folder,
        max_steps=rules.steps,
        per_device_train_batch_size=rules.batch,
        num_generations=rules.group,
        learning_rate=rules.lr,
        beta=rules.kl,
        temperature=rules.temperature,
        max_completion_length=rules.max_tokens,
        loss_type="grpo",  # the mean over a text's tokens, as published
        bf16=not cpu,
        use_cpu=cpu,
        gradient_checkpointing=not cpu,
        seed=seed,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )


def _weights(base: Any, trained: Any) -> dict[str, Tensor]:
    """PEFT's adapter under our names and shapes."""
    found = {name: module for name, module in trained.named_modules() if hasattr(module, "lora_A")}
    out: dict[str, Tensor] = {}
    for name in lora.linears(base):
        module = next(m for full, m in found.items() if full.endswith(f".{name}"))
        out[f"{name}.A"] = module.lora_A["default"].weight.detach().float().T[None].contiguous()
        out[f"{name}.B"] = module.lora_B["default"].weight.detach().float().T[None].contiguous()
    return out
