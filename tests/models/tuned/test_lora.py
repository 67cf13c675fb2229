"""Our stacked adapters against PEFT's, one at a time."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from aar.models.tuned import lora
from aar.models.tuned.net import TunedNet
from aar.models.tuned.student import TunedStudent

from .conftest import RULES, make_rows


@pytest.mark.parametrize("rslora", [True, False])
def test_two_lanes_are_two_peft_models(student: Callable[..., TunedStudent], rslora: bool) -> None:
    """Same A and B, same scale, same states."""
    from dataclasses import replace

    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    rules = replace(RULES, rslora=rslora, alpha=8)
    base = student(rules).base
    weights = lora.initial(base, [0, 1], rules.rank)
    draw = torch.Generator().manual_seed(0)
    weights = {k: v + 0.3 * torch.randn(v.shape, generator=draw) for k, v in weights.items()}
    ids = base.encode(make_rows(3)[0].texts)
    with torch.no_grad(), lora.applied(base, weights, rules.scale):
        ours = base.states(ids + ids).reshape(2, 3, -1)
    config = LoraConfig(r=rules.rank, lora_alpha=8, use_rslora=rslora, target_modules="all-linear", bias="none")
    for lane in (0, 1):
        theirs = get_peft_model(AutoModelForCausalLM.from_pretrained(base.folder, dtype=torch.float32), config).eval()
        for name, module in theirs.base_model.model.model.layers.named_modules():
            if f"{name}.A" in weights:
                module.lora_A["default"].weight.data = weights[f"{name}.A"][lane].T.contiguous()
                module.lora_B["default"].weight.data = weights[f"{name}.B"][lane].T.contiguous()
        for row, i in enumerate(ids):
            with torch.no_grad():
                state = theirs.base_model.model.model(torch.tensor([i])).last_hidden_state[0, -1]
            torch.testing.assert_close(ours[lane, row], state, atol=1e-4, rtol=1e-3)


def test_every_linear_layer_of_every_block_is_adapted(student: Callable[..., TunedStudent]) -> None:
    names = set(lora.linears(student().base))
    parts = {
        "self_attn.q_proj",
        "self_attn.k_proj",
        "self_attn.v_proj",
        "self_attn.o_proj",
        "mlp.gate_proj",
        "mlp.up_proj",
        "mlp.down_proj",
    }
    assert names == {f"{layer}.{part}" for layer in range(2) for part in parts}


def test_an_own_loop_trains_and_freezes(student: Callable[..., TunedStudent]) -> None:
    """Net: gradients reach the adapters, vectors go round, freeze predicts as the net does."""
    rows, truth = make_rows(16)
    net: TunedNet = student().open(seed=3)
    before = net.get_vector()
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-2)
    for part, index in net.batches(rows, 8):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(net.logits(part), torch.tensor(truth[index]))
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    after = net.get_vector()
    assert (before != after).any()
    frozen = net.freeze()
    torch.testing.assert_close(torch.tensor(frozen.logits(rows)), net.logits(rows).detach(), atol=1e-5, rtol=1e-4)
    net.set_vector(before)
    assert (net.get_vector() == before).all()
    assert net.logprob(["a", "b"], [["x", "yy"], ["z", "w"]]).shape == (2, 2)
