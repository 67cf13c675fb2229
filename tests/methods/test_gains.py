"""Each method beats its own ablation (itself without its one idea) on a world built for its assumption."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

# world, method, parameters, the ablation
HARD, SOFT = "vanilla", "soft"
GAINS: list[tuple[str, str, dict[str, Any], str]] = [
    ("two_minds", "soft", {}, HARD),
    ("loud", "temperature", {"temperature": 8.0}, SOFT),
    ("two_minds", "confidence_weights", {}, HARD),
    ("two_minds", "confidence_weights", {"by": "by_information"}, HARD),
    ("two_minds", "confident", {}, HARD),
    ("two_minds", "confident_share", {}, HARD),
    ("two_minds", "mdl_curriculum", {}, HARD),
    ("slanted", "class_balance", {}, SOFT),
    ("slanted", "platt", {}, SOFT),
    ("slanted", "prior_threshold", {}, HARD),
    ("slanted", "peer", {}, HARD),
    ("slanted", "forward_correction", {}, HARD),
    ("slanted", "backward_correction", {}, HARD),
    ("other_prior", "prior_shift", {"prior0": 0.85}, SOFT),
    ("by_heart", "early_stopping", {"epochs": 2, "checkpoints": 15}, SOFT),
    ("by_heart", "label_smoothing", {"epsilon": -0.3}, HARD),
    ("by_heart", "gce", {}, HARD),
    ("by_heart", "gce_truncated", {}, HARD),
    ("by_heart", "sce", {}, HARD),
    ("by_heart", "bootstrap_soft", {"b": 0.6}, HARD),
    ("by_heart", "bootstrap_hard", {"b": 0.6}, HARD),
    ("by_heart", "elr", {}, HARD),
    ("by_heart", "jtt_inverted", {}, HARD),
    ("by_heart", "co_teaching", {}, HARD),
    ("by_heart", "co_teaching_plus", {"tau": 0.3}, HARD),
    ("by_heart", "dividemix", {}, HARD),
    ("by_heart", "overlap_density", {}, HARD),
    ("by_heart_long", "epiplexity_area", {"keep": 0.8}, HARD),
    ("by_heart_sure", "reverse_kl", {}, SOFT),
    ("by_heart", "reverse_ce", {}, SOFT),
    ("by_heart", "logconf", {}, SOFT),
    ("by_heart", "logconf_openai", {}, SOFT),
    ("by_heart", "logconf_eleuther", {}, SOFT),
    ("by_heart", "product", {}, SOFT),
    ("by_heart", "entropy", {}, SOFT),
    ("by_heart", "adaptconf", {}, SOFT),
    ("by_heart_long", "window", {}, SOFT),
    ("by_heart", "knn_filter", {"drop": 0.3}, SOFT),
    ("clusters", "knn_relabel", {}, SOFT),
    ("by_heart", "topo_filter", {"drop": 0.3}, SOFT),
    ("clusters", "topo_relabel", {}, SOFT),
    ("clusters", "probe_filter", {"drop": 0.3, "l2": 1.0}, SOFT),
    ("clusters", "probe_relabel", {"l2": 1.0}, SOFT),
    ("clusters_ridged", "epiplexity", {}, HARD),
    ("patterns", "overlap_shin", {}, HARD),
    ("patterns", "overlap_bandit", {}, HARD),
    ("wrong_rule", "active", {}, HARD),
    ("wrong_rule", "active", {"by": "dispute"}, HARD),
]


@pytest.mark.soak
@pytest.mark.parametrize(
    ("world", "method", "params", "ablation"), GAINS, ids=[f"{g[1]}-{g[0]}-{i}" for i, g in enumerate(GAINS)]
)
def test_it_beats_its_ablation(
    worlds: ModuleType, world: str, method: str, params: dict[str, Any], ablation: str
) -> None:
    """By more than two points of accuracy and three standard errors, over the same seeds."""
    mean, se = worlds.gain(getattr(worlds, world), method, params, ablation, seeds=8)
    assert mean > 0.02
    assert mean > 3 * se
