"""Small real models: a random llama and a random BERT with a byte tokenizer; a student without any."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from aar.models.student import HeadStudent
from aar.models.toy import ArrayStore
from aar.types import Claim, Pair, Rows

torch.set_num_threads(1)


def _tokenizer(folder: Path, **special: str) -> int:
    """A tokenizer of one token a byte; returns the size of its vocabulary."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {t: i for i, t in enumerate([*special.values(), *letters])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(folder)
    return len(vocabulary)


@pytest.fixture(scope="session")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random llama of 4 layers of width 32."""
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("llama")
    size = _tokenizer(folder, eos_token="<eos>", pad_token="<pad>")
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=size, hidden_size=32, intermediate_size=64, num_hidden_layers=4, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=96, eos_token_id=0, pad_token_id=1, bos_token_id=None,
        initializer_range=0.3,
    )  # fmt: skip
    LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random BERT encoder of 2 layers of width 16."""
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("bert")
    size = _tokenizer(folder, pad_token="<pad>", cls_token="<cls>")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=size, hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=64, pad_token_id=0,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture
def store() -> ArrayStore:
    return ArrayStore(width=24)


@pytest.fixture
def student(store: ArrayStore) -> HeadStudent:
    """On pairs, at layer 2."""
    return HeadStudent(store, "toy", "pair", layer=2, ridge=0.0)


@pytest.fixture
def pairs() -> Rows:
    """80 pairs."""
    texts = tuple(Pair(f"question {i}", f"one {i}", f"two {i}") for i in range(80))
    return Rows("pair", tuple(f"p{i}" for i in range(80)), texts)


@pytest.fixture
def claims() -> Rows:
    """80 claims."""
    return Rows("binary", tuple(f"c{i}" for i in range(80)), tuple(Claim(f"question {i}", "yes") for i in range(80)))
