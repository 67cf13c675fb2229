"""Each method beats its own ablation, itself without its one idea, in a world built for its assumption.

Means over the same seeds; the gain must pass two points of accuracy and three of its standard errors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from aar.methods import library, power_sampling, worlds
from aar.methods.fakes import FakeStudent
from aar.methods.speakers import Formless, Positional, Reasoner, as_speaker

HARD, SOFT = "vanilla", "soft"
LABELS = ("two_minds", "loud", "slanted", "other_prior", "by_heart", "by_heart_long", "by_heart_sure", "clusters",
          "clusters_ridged", "patterns", "wrong_rule")  # fmt: skip
SEEDS = {"flips": 12, **dict.fromkeys(LABELS, 8)}  # of a world, else 4
World = Callable[[int], worlds.World]


def speaking(habit: type[FakeStudent], **how: Any) -> World:
    def make(seed: int) -> worlds.World:
        task, truth = worlds.opinions(seed, **{"n": 200, **how})
        return as_speaker(task, habit), truth

    return make


WORLDS: dict[str, World] = {  # or a function of `worlds`
    "wide flips": lambda s: worlds.flips(s, n=250, d=150, accuracy=0.8),
    "tilted": lambda s: worlds.salient(s, n=600, size=4, angle=0.46, across=1),
    "few rows": lambda s: worlds.spectrum(s, n=150, d=120),
    "opinions": lambda s: worlds.opinions(s, n=400, d=12, student=0.6),
    "one good teacher": lambda s: worlds.teachers((0.58, 0.58, 0.92, 0.58, 0.58), s, n=500),
    "one wild teacher": lambda s: worlds.teachers((0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.3), s, wild=True),
    "positional": speaking(Positional),
    "formless": speaking(Formless),
    "reasoner": speaking(Reasoner, kind="binary", student=0.6),
}
FREE = {"ridge": 0.0}
VOTE = {"rows": 200}
# world, method, its parameters, what it must beat: a method with parameters
GAINS: list[tuple[str, str, dict[str, Any], str, dict[str, Any]]] = [
    ("two_minds", "soft", {}, HARD, {}),
    ("loud", "temperature", {"temperature": 8.0}, SOFT, {}),
    ("two_minds", "confidence_weights", {}, HARD, {}),
    ("two_minds", "confidence_weights", {"by": "by_information"}, HARD, {}),
    ("two_minds", "confident", {}, HARD, {}),
    ("two_minds", "confident_share", {}, HARD, {}),
    ("two_minds", "mdl_curriculum", {}, HARD, {}),
    ("slanted", "class_balance", {}, SOFT, {}),
    ("slanted", "platt", {}, SOFT, {}),
    ("slanted", "prior_threshold", {}, HARD, {}),
    ("slanted", "peer", {}, HARD, {}),
    ("slanted", "forward_correction", {}, HARD, {}),
    ("slanted", "backward_correction", {}, HARD, {}),
    ("other_prior", "prior_shift", {"prior0": 0.85}, SOFT, {}),
    ("by_heart", "early_stopping", {"epochs": 2, "checkpoints": 15}, SOFT, {}),
    ("by_heart", "label_smoothing", {"epsilon": -0.3}, HARD, {}),
    ("by_heart", "gce", {}, HARD, {}),
    ("by_heart", "gce_truncated", {}, HARD, {}),
    ("by_heart", "sce", {}, HARD, {}),
    ("by_heart", "bootstrap_soft", {"b": 0.6}, HARD, {}),
    ("by_heart", "bootstrap_hard", {"b": 0.6}, HARD, {}),
    ("by_heart", "elr", {}, HARD, {}),
    ("by_heart", "jtt_inverted", {}, HARD, {}),
    ("by_heart", "co_teaching", {}, HARD, {}),
    ("by_heart", "co_teaching_plus", {"tau": 0.3}, HARD, {}),
    ("by_heart", "dividemix", {}, HARD, {}),
    ("by_heart", "overlap_density", {}, HARD, {}),
    ("by_heart_long", "epiplexity_area", {"keep": 0.8}, HARD, {}),
    ("by_heart_sure", "reverse_kl", {}, SOFT, {}),
    ("by_heart", "reverse_ce", {}, SOFT, {}),
    ("by_heart", "logconf", {}, SOFT, {}),
    ("by_heart", "logconf_openai", {}, SOFT, {}),
    ("by_heart", "logconf_eleuther", {}, SOFT, {}),
    ("by_heart", "product", {}, SOFT, {}),
    ("by_heart", "entropy", {}, SOFT, {}),
    ("by_heart", "adaptconf", {}, SOFT, {}),
    ("by_heart_long", "window", {}, SOFT, {}),
    ("by_heart", "knn_filter", {"drop": 0.3}, SOFT, {}),
    ("clusters", "knn_relabel", {}, SOFT, {}),
    ("by_heart", "topo_filter", {"drop": 0.3}, SOFT, {}),
    ("clusters", "topo_relabel", {}, SOFT, {}),
    ("clusters", "probe_filter", {"drop": 0.3, "l2": 1.0}, SOFT, {}),
    ("clusters", "probe_relabel", {"l2": 1.0}, SOFT, {}),
    ("clusters_ridged", "epiplexity", {}, HARD, {}),
    ("patterns", "overlap_shin", {}, HARD, {}),
    ("patterns", "overlap_bandit", {}, HARD, {}),
    ("wrong_rule", "active", {}, HARD, {}),
    ("wrong_rule", "active", {"by": "dispute"}, HARD, {}),
    ("positional", "zero_shot", {}, "zero_shot", {"both_orders": False}),
    ("formless", "few_shot", {}, "few_shot", {"shots": 0}),
    ("salient", "icm_finetuned", {}, "icm_finetuned", {"steps": 0}),
    ("salient", "ccs", {}, "vanilla", {}),
    ("salient", "ccs_weak", {}, "vanilla", {}),
    ("salient", "pca", {}, "vanilla", {}),
    ("salient", "low_rank", {"rank": 1}, "low_rank", {"rank": 20}),
    ("wide flips", "mean_difference", {}, "linear_probe", {"l2": 1e-6}),
    ("stretched", "lda", {}, "lda", {"shrinkage": 1.0}),
    ("wide flips", "linear_probe", {"l2": 1.0}, "linear_probe", {"l2": 1e-6}),
    ("spectrum", "low_rank", {"rank": 3}, "low_rank", {"rank": 60}),
    ("few rows", "born_again", {}, "vanilla", {}),
    ("rungs", "bootstrap_ladder", {}, "vanilla", {}),
    ("flips", "student_ensemble", {"bootstrap": True}, "student_ensemble", {"bootstrap": True, "members": 1}),
    ("one wild teacher", "teacher_ensemble", {}, "teacher_ensemble", {"trim": 0.0}),
    ("one good teacher", "dawid_skene", {}, "teacher_ensemble", {"trim": 0.0}),
    ("two_views", "co_training", {}, "co_training", {"rounds": 0}),
    ("redundant", "fixmatch", {}, "fixmatch", {"weight": 0.0}),
    ("redundant", "vat", FREE, "vat", {**FREE, "weight": 0.0}),
    ("redundant", "mean_teacher", FREE, "mean_teacher", {**FREE, "weight": 0.0}),
    ("opinions", "noisy_channel", {"rounds": 0}, "vanilla", {}),
    ("opinions", "noisy_channel", {"rounds": 0}, "zero_shot", {}),
    ("opinions", "product_of_experts", {}, "zero_shot", {}),
    ("outliers", "evolution", {}, "evolution", {"iterations": 0}),
    ("tilted", "confident_evolution", {}, "confident_evolution", {"iterations": 0}),
    ("tilted", "ccs_evolution", {}, "vanilla", {}),
    ("reasoner", "self_consistency", VOTE, "self_consistency", {**VOTE, "samples": 1}),
]


@cache
def accuracy(world: str, method: str, params: tuple[tuple[str, Any], ...], seed: int) -> float:
    task, truth = (WORLDS.get(world) or getattr(worlds, world))(seed)
    p = library.get(method).run(replace(task, params=dict(params))).aligned(task.test.ids)
    return float(((p > 0.5) == (truth > 0.5)).mean())


@pytest.mark.soak
@pytest.mark.parametrize(
    ("world", "method", "params", "than", "less"), GAINS, ids=[f"{g[1]}-{g[3]}-{g[0]}-{i}" for i, g in enumerate(GAINS)]
)
def test_it_beats_its_ablation(
    world: str, method: str, params: dict[str, Any], than: str, less: dict[str, Any]
) -> None:
    """The method in the world of its assumption, against itself without its idea or against what it is added to."""
    seeds = SEEDS.get(world, 4)
    gains = np.array([
        accuracy(world, method, tuple(params.items()), s) - accuracy(world, than, tuple(less.items()), s)
        for s in range(seeds)
    ])  # fmt: skip
    assert gains.mean() > 0.02
    assert gains.mean() > 3 * gains.std(ddof=1) / np.sqrt(seeds)


@pytest.mark.soak
def test_icm_finds_the_coherent_labelling() -> None:
    """Searched labels against the same random seeds without a search, and against the student's own answers. The sign of a
    labelling is anchored by those answers alone, so where they are weak some seeds end at the opposite."""
    found, seeded, own = (
        np.array([_coherent(s, name, params) for s in range(8)])
        for name, params in (("icm", {}), ("icm", {"steps": 0}), ("zero_shot", {}))
    )
    assert (found >= seeded).sum() >= 7
    assert found.mean() > seeded.mean() + 0.05
    assert np.median(found) > np.median(own) + 0.02


def _coherent(seed: int, name: str, params: dict[str, Any]) -> float:
    task, truth = worlds.coherent(seed, own=0.7)
    p = library.get(name).run(replace(task, params=params)).aligned(task.test.ids)
    return float(((p > 0.5) == (truth > 0.5)).mean())


def test_power_sampling_thinks_what_is_likely_as_a_whole() -> None:
    """Labels from p^8 are right more often than labels from p: by a tenth of the rows."""
    right = {alpha: np.mean([_right(s, alpha) for s in range(3)]) for alpha in (1.0, 8.0)}
    assert right[8.0] > right[1.0] + 0.1


def _right(seed: int, alpha: float) -> float:
    task, _ = WORLDS["reasoner"](seed)
    rows, student = task.train, task.student
    odds = power_sampling.reasoned(task, rows, {"samples": 1, "alpha": alpha, "steps": 12, "words": 1}, seed)
    likes = np.array([student.opinions[t[-1]] for t in rows.texts])  # type: ignore[attr-defined]
    return float(((odds[:, 0] > 0) == (likes > 0)).mean())
