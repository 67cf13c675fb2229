"""The published table comes out again from the per-seed accuracies (skipped where the file is not at hand)."""

import json
from pathlib import Path

import pytest

from aar.errors import InputError
from aar.scoring.reference import read_reference

FILE = Path(__file__).parents[3] / "shared/reference/reference_baselines.json"
TABLE = {  # method: (chat, math, code), each PGR and SE as printed
    "vanilla_w2s": [(0.204, 0.046), (0.338, 0.030), (0.129, 0.026)],
    "train_only_on_confident_labels": [(0.234, 0.054), (0.296, 0.052), (0.192, 0.019)],
    "critic": [(-0.038, 0.043), (0.260, 0.031), (-0.093, 0.076)],
    "ue_zeroshot": [(0.027, 0.023), (0.586, 0.025), (0.144, 0.008)],
}


@pytest.mark.skipif(not FILE.exists(), reason="the reference file is not part of the repository")
def test_the_published_table_is_recomputed_to_three_decimals():
    """Every printed PGR and SE, and the file's own SE with baseline uncertainty."""
    rows = {(b.method, b.testbed): b for b in read_reference(FILE)}
    for method, cells in TABLE.items():
        for testbed, (mean, se) in zip(("chat", "math", "code"), cells, strict=True):
            row = rows[method, testbed]
            assert (round(row.pgr, 3), round(row.se, 3)) == (mean, se), (method, testbed)
    beds = json.loads(FILE.read_text())["datasets"]
    for (method, testbed), row in rows.items():
        stored = beds[testbed]["methods"][method]["pgr_se_with_baseline_uncertainty"]
        assert row.se_with_baselines == pytest.approx(stored, abs=5e-4), (method, testbed)


def summary(mean):
    return {"mean": mean, "se": 0.002, "sd": 0.008, "n": 16, "min": mean - 0.01, "max": mean + 0.01}


def test_a_small_table_is_read(tmp_path):
    """Means and standard errors of two seeds, by hand."""
    bed = {"n_test": 100, "weak_acc": summary(0.5), "ceiling_acc": summary(0.7)}
    bed["methods"] = {"vanilla": {"transfer_acc_values": [0.54, 0.56]}}
    (tmp_path / "r.json").write_text(json.dumps({"datasets": {"toy": bed}}))
    (row,) = read_reference(tmp_path / "r.json")
    assert row.pgr == pytest.approx(0.25)
    assert row.se == pytest.approx(0.05)
    assert row.se_with_baselines > row.se


@pytest.mark.parametrize("text", ["[]", "{}", '{"datasets": {"a": {}}}', "nonsense"])
def test_another_file_is_refused_by_name(tmp_path, text):
    """The error names the file and the shape it should have."""
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(InputError, match="reference baselines"):
        read_reference(tmp_path / "r.json")
