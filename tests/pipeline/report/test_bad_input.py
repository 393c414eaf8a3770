"""Errors of missing, damaged or foreign files name the file and the command to run, in one line."""

import json
from typing import Any

import pytest

from featurize.errors import SerError
from pipeline.stages.report import report


def complaint(sample: Any) -> str:
    with pytest.raises(SerError) as caught:
        report(sample.data, sample.reports)
    message = str(caught.value)
    assert "\n" not in message
    assert not (sample.reports / "index.html").exists()
    return message


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("data/manifest.csv", "ser manifest"),
        ("data/manifest.json", "ser manifest"),
        ("data/rejects.csv", "ser manifest"),
        ("reports/evaluation.json", "ser evaluate"),
        ("reports/predictions.csv", "ser evaluate"),
    ],
)
@pytest.mark.parametrize("damage", [None, b"", b"\xff\xfe{"])
def test_missing_or_damaged(sample: Any, name: str, command: str, damage: bytes | None) -> None:
    (sample.root / name).unlink()
    if damage is not None:
        (sample.root / name).write_bytes(damage)
    message = complaint(sample)
    assert name in message
    assert command in message


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("data/audit.json", "ser manifest"),
        ("reports/robustness/robustness.json", "ser robustness"),
        ("reports/cross/cross.json", "ser cross"),
    ],
)
@pytest.mark.parametrize("damage", [b"", b"[]", b'{"clips": -1, "points": []}'])
def test_what_may_be_absent_may_not_be_damaged(sample: Any, name: str, command: str, damage: bytes) -> None:
    path = sample.root / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(damage)
    message = complaint(sample)
    assert name in message
    assert command in message


@pytest.mark.parametrize(
    "changes",
    [
        {"n_clips": 3},
        {"uar": "high"},
        {"confusion": [[1]]},
        {"labels": ["angry"], "confusion": [[80]]},
        {"intervals": {"level": 0.95}},
        {"calibration": {"before": {"ece": 1}, "after": {"ece": 1}, "bins": []}},
        {"risk_coverage": {"aurc": 0.1, "points": [[1]]}},
    ],
)
def test_metrics_that_do_not_fit(sample: Any, changes: dict[str, Any]) -> None:
    sample.edit(**changes)
    assert "run `ser evaluate` again" in complaint(sample)


def test_confidence_that_is_no_number(sample: Any) -> None:
    path = sample.reports / "predictions.csv"
    lines = path.read_text().splitlines()
    column = lines[0].split(",").index("confidence")
    cells = lines[1].split(",")
    cells[column] = "sure"
    path.write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]))
    assert "column confidence does not hold numbers; run `ser evaluate` again" in complaint(sample)


@pytest.mark.parametrize("folder", ["denoised", "features"])
def test_damaged_shard(sample: Any, folder: str) -> None:
    sample.add_shards()
    path = sample.data / folder / "part-00000.h5"
    path.write_bytes(path.read_bytes()[:5000])
    message = complaint(sample)
    assert f"{folder}/part-00000.h5" in message
    assert "run its stage again" in message


def test_an_audit_of_another_version(sample: Any) -> None:
    finding = {"kind": "new-kind", "severity": "note", "splits": [], "clips": [], "detail": "d"}
    content = {"params": {}, "clips": 1, "fingerprinted": 1, "findings": [finding]}
    (sample.data / "audit.json").write_text(json.dumps(content))
    message = complaint(sample)
    assert "findings.0.kind" in message
    assert "run `ser manifest` again" in message


@pytest.mark.parametrize("name", ["steps", "normalisation", "speakers"])
def test_a_card_that_lacks_a_field(sample: Any, name: str) -> None:
    card = sample.metrics()["protocol"]
    del card[name]
    sample.edit(protocol=card)
    assert f"evaluation.json: `protocol.{name}` is missing; run `ser evaluate` again" in complaint(sample)
