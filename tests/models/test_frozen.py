"""Hidden states, scores and samples of frozen models, against transformers' own outputs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from aar.errors import InputError, MethodError, NotFound, Unsupported
from aar.models import frozen, packaged
from aar.models.frozen import FrozenLM

TEXTS = ["a longer text, to be padded against", "ab", "middling text", "", "x", "été ☃"]


@pytest.fixture(scope="module")
def lm(llama: Path) -> FrozenLM:
    return frozen.load(llama)


def reference(lm: FrozenLM, text: str) -> list[torch.Tensor]:
    """Hidden states [t, d] of one text alone, layer by layer, as transformers gives them."""
    with torch.no_grad():
        out = lm.model.base_model(torch.tensor(lm.encode([text])), output_hidden_states=True)
    return [states[0].float() for states in out.hidden_states]


def apart(a: np.ndarray, b: np.ndarray) -> float:
    """Relative distance; bfloat16 alone gives about .005."""
    return float(np.linalg.norm(a - b) / (np.linalg.norm(b) + 1e-9))


def test_hidden_equals_transformers_for_each_text_alone(lm: FrozenLM) -> None:
    """Sorting, padding, pooling and leaving early change nothing beyond bfloat16 rounding."""
    mean, last = lm.hidden(TEXTS, [0, 1, 3], "mean", tokens=64), lm.hidden(TEXTS, [0, 1, 3], "last", tokens=64)
    for i, text in enumerate(TEXTS):
        states = reference(lm, text)
        for j, layer in enumerate([0, 1, 3]):
            own = states[layer].numpy()
            assert apart(mean[i, j], (own[1:] if len(own) > 1 else own).mean(0)) < 0.02
            assert apart(last[i, j], own[-1]) < 0.02


def test_the_last_layer_is_taken_before_the_final_norm(lm: FrozenLM) -> None:
    """So that every layer is the same kind of thing: the residual stream."""
    normed = lm.model.base_model.norm(torch.tensor(lm.hidden(TEXTS, [4], "last")[:, 0]).bfloat16()).float()
    want = torch.stack([reference(lm, t)[-1][-1] for t in TEXTS])
    assert apart(normed.numpy(), want.numpy()) < 0.02


def test_the_forward_stops_at_the_deepest_layer_and_leaves_no_hooks(lm: FrozenLM) -> None:
    """Blocks above it are not run; the next call is not disturbed."""
    blocks = lm.model.base_model.layers
    ran: list[int] = []
    handles = [b.register_forward_pre_hook(lambda *_, i=i: ran.append(i)) for i, b in enumerate(blocks)]
    count = [len(b._forward_hooks) + len(b._forward_pre_hooks) for b in blocks]
    lm.hidden(["abc"], [0, 2])
    assert ran == [0, 1]
    assert count == [len(b._forward_hooks) + len(b._forward_pre_hooks) for b in blocks]
    for handle in handles:
        handle.remove()


def test_layers_may_come_in_any_order_and_repeat(lm: FrozenLM) -> None:
    """The answer follows the question."""
    h = lm.hidden(["abc"], [3, 0, 3])
    np.testing.assert_array_equal(h[:, 0], h[:, 2])
    np.testing.assert_array_equal(h[:, 1], lm.hidden(["abc"], [0])[:, 0])


def test_a_long_text_is_cut_at_its_front(lm: FrozenLM) -> None:
    """The answer stands at the end, so the end is what is kept."""
    long = "".join(chr(97 + i % 26) for i in range(500))
    assert lm.context == 96
    assert lm.encode([long]) == lm.encode([long[-96:]])


@pytest.mark.parametrize(("layers", "pooling"), [([9], "mean"), ([-1], "mean"), ([1], "max")])
def test_unknown_layers_and_poolings_are_named(lm: FrozenLM, layers: list[int], pooling: str) -> None:
    """A clear error, not an index error from inside transformers."""
    with pytest.raises(InputError):
        lm.hidden(["a"], layers, pooling)  # type: ignore[arg-type]


def test_score_is_the_log_probability_of_the_completion(lm: FrozenLM) -> None:
    """Of one token or several, with shared prefixes, in any order."""
    prompts, completions = ["the answer is", "b"], [[" A", " Bo", " A"], ["x", "yz", "longer text"]]
    got = lm.score(prompts, completions, tokens=40)
    for i, prompt in enumerate(prompts):
        for j, completion in enumerate(completions[i]):
            start, end = lm.encode([prompt])[0], lm.encode([completion])[0]
            with torch.no_grad():
                logp = lm.model(torch.tensor([start + end])).logits[0].float().log_softmax(-1)
            want = sum(logp[len(start) + t - 1, token].item() for t, token in enumerate(end))
            assert got[i, j] == pytest.approx(want, abs=0.1 * len(end))
    assert got[0, 0] == got[0, 2]


def test_probabilities_of_all_single_tokens_sum_to_one(lm: FrozenLM) -> None:
    """A completion's score is a normalised log-probability, not a logit."""
    letters = [chr(c) for c in range(32, 127)]
    assert 0 < np.exp(lm.score(["some prompt"], [letters])).sum() < 1.001


def test_score_refuses_ragged_and_empty_completions(lm: FrozenLM) -> None:
    """[n, k] must mean something."""
    with pytest.raises(MethodError):
        lm.score(["a", "b"], [["x"], ["x", "y"]])
    with pytest.raises(MethodError):
        lm.score(["a"], [[""]])
    assert lm.score([], []).shape == (0, 0)


def test_generate_repeats_with_the_seed_and_leaves_the_global_one_alone(lm: FrozenLM) -> None:
    """Same seed, same samples; another seed, others; greedy is the argmax."""
    torch.manual_seed(5)
    before = torch.rand(1)
    torch.manual_seed(5)
    one = lm.generate(["hello", "longer prompt"], n=3, max_tokens=6, seed=1)
    assert torch.rand(1) == before
    assert one == lm.generate(["hello", "longer prompt"], n=3, max_tokens=6, seed=1)
    assert one != lm.generate(["hello", "longer prompt"], n=3, max_tokens=6, seed=2)
    assert [len(row) for row in one] == [3, 3]
    with torch.no_grad():
        best = int(lm.model(torch.tensor(lm.encode(["hello"]))).logits[0, -1].argmax())
    greedy = lm.generate(["hello"], temperature=0, max_tokens=1)
    assert greedy == [[lm.tokenizer.decode([best], skip_special_tokens=True)]]


def test_an_encoder_has_features_only(bert: Path) -> None:
    """It says so, instead of making up scores."""
    lm = frozen.load(bert)
    assert lm.can == {"features"}
    want = reference(lm, "hello")[1][1:].mean(0).numpy()
    assert apart(lm.hidden(["hello", "a much longer text"], [1, 2])[0, 0], want) < 0.02
    with pytest.raises(Unsupported):
        lm.score(["a"], [["b"]])
    with pytest.raises(Unsupported):
        lm.generate(["a"])


def test_load_is_cheap(llama: Path) -> None:
    """Asking for a model's identity or layers reads no weights."""
    lm = frozen.load(llama)
    assert (lm.layers, lm.width, lm.causal, len(lm.id)) == (4, 32, True, 16)
    assert "model" not in vars(lm)


def test_pickled_weights_are_refused(llama: Path, tmp_path: Path) -> None:
    """A pytorch_model.bin runs code when it is opened."""
    folder = tmp_path / "pickled"
    shutil.copytree(llama, folder)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(InputError, match="safetensors"):
        frozen.load(folder)


def test_an_unknown_name_lists_the_known_ones() -> None:
    """And a path that is not there is not taken for a hub id."""
    with pytest.raises(NotFound, match="smollm2-135m"):
        frozen.load("smollm3")
    with pytest.raises(NotFound):
        frozen.load("./no/such/folder")


def _embedded(name: str) -> FrozenLM:
    try:
        return frozen.load(packaged.path(name))
    except NotFound:
        pytest.skip(f"{name} is not here (make setup)")


def test_smollm_knows_the_capital_of_france() -> None:
    """The dequantised weights work, end to end."""
    lm = _embedded("smollm2-135m")
    assert (lm.layers, lm.width) == (30, 576)
    score = lm.score(["The capital of France is"], [[" Paris", " London", " banana"]])[0]
    assert score[0] > -1 > score[1] > score[2]


def test_minilm_puts_like_near_like() -> None:
    """A sentence encoder, read at its last layer."""
    lm = _embedded("minilm")
    h = lm.hidden(["a dog is running", "a puppy runs", "tax law of 1974"], [6])[:, 0]
    h /= np.linalg.norm(h, axis=1, keepdims=True)
    assert h[0] @ h[1] > 0.5 > h[0] @ h[2]


def test_importing_the_package_loads_no_torch() -> None:
    """The dashboard and the CLI must start at once."""
    names = "aar.models.frozen, aar.models.features, aar.models.student"
    code = f"import sys, {names}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_all_prompts_begin_with_is_read_once_and_changes_nothing(
    lm: FrozenLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Demonstrations in front of every prompt: the scores are those of each prompt by itself."""
    block = "Two and two? four. Three and one? four. Six and three? "
    prompts, answers = [f"{block}{ask}" for ask in ("One?", "Two?", "Ten?")], ["A", "B"]
    read: list[int] = []
    body = lm.body.forward
    monkeypatch.setattr(lm.body, "forward", lambda **k: (read.append(k["input_ids"].numel()), body(**k))[1])
    together, cost = lm.score(prompts, [answers] * 3), sum(read)
    alone = np.concatenate([lm.score([p], [answers]) for p in prompts])
    assert cost < (sum(read) - cost) / 2
    np.testing.assert_allclose(together, alone, atol=0.1)


def test_scores_are_finer_than_bfloat16_logits(lm: FrozenLM) -> None:
    """Two answers of a weak model are told apart by less than an eighth, which is a step of a bfloat16 logit of 16."""
    ids = torch.tensor(lm.encode(["some prompt"]))
    token = lm.tokenizer("A", add_special_tokens=False)["input_ids"][0]
    with torch.no_grad():
        state = lm.model.base_model(ids).last_hidden_state[0, -1].float()
        fine = (state @ lm.model.lm_head.weight.float().T).log_softmax(-1)[token].item()
        coarse = lm.model(ids).logits[0, -1].float().log_softmax(-1)[token].item()
    got = lm.score(["some prompt"], [["A"]])[0, 0]
    assert abs(got - fine) < 2e-4 < abs(got - coarse)
