"""A tiny causal model of Qwen3's architecture with random weights, written as a folder that `weights.find` reads.

`python -m aar.models.tuned.fakes` puts it beside the embedded models, as the student "tiny-qwen3".
"""

from __future__ import annotations

from pathlib import Path

from aar.models.tuned.prompts import LABELS
from aar.settings import models_folder


def tiny_qwen3(folder: Path, width: int = 32, layers: int = 2, seed: int = 0, spread: float = 0.02) -> Path:
    """config.json, model.safetensors and a byte-level tokenizer; made in a second, 100 KB. spread: sd of its weights; at
    .02 all tokens are about equally likely whatever is trained, at .2 some are not."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={t: i for i, t in enumerate(letters)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|end|>", pad_token="<|end|>")
    fast.add_tokens([label for pair in LABELS.values() for label in pair])  # else all labels start with the same byte
    fast.save_pretrained(str(folder))
    config = Qwen3Config(
        vocab_size=len(fast),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=width // 4,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        initializer_range=spread,
    )
    torch.manual_seed(seed)
    Qwen3ForCausalLM(config).save_pretrained(str(folder))
    return folder


if __name__ == "__main__":
    print(tiny_qwen3(models_folder() / "tiny-qwen3"))
