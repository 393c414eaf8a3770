"""A made-up run to report on, small and complete, and the page it becomes, parsed."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_recall_fscore_support

from featurize.shards import Row, write_shard
from pipeline.stages.report import report

VOID = {"meta", "link", "br", "hr", "img", "input"}
RATE = 16_000
NUM_CLIPS = 240
SPLITS = ("train", "val", "test")


@dataclass
class Page(HTMLParser):
    """A parsed page: its text, tags, tables, references and pictures."""

    text: str = ""
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    tables: dict[str, list[list[str]]] = field(default_factory=dict)
    inline: dict[str, str] = field(default_factory=dict)
    _rows: list[list[str]] = field(default_factory=list)
    _caption: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self._rows, self._caption = [], ""
        elif tag == "tr":
            self._rows.append([])
        elif tag in {"td", "th"}:
            self._rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag == "table":
            self.tables[self._caption] = self._rows

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"style", "script"}:
            self.inline[self.open[-1]] = data
            return
        self.text += data
        if "caption" in self.open:
            self._caption += data
        elif self.open and self.open[-1] in {"td", "th"}:
            self._rows[-1][-1] += data

    def of(self, name: str) -> list[dict[str, str | None]]:
        """Attributes of every element of that name."""
        return [attributes for tag, attributes in self.tags if tag == name]

    def stamps(self) -> set[str | None]:
        """Names of the warnings on the page."""
        return {attributes["data-stamp"] for attributes in self.of("p") if "data-stamp" in attributes}


def parse_page(html: str) -> Page:
    page = Page()
    page.feed(html)
    page.close()
    assert page.open == []
    return page


@dataclass
class Sample:
    """A made-up run of 240 clips by six speakers, two of them tested on; metrics are scikit-learn's."""

    root: Path
    labels: list[str]
    speakers: list[str]
    clip_ids: list[str]
    protocol: dict[str, Any]

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    def page(self) -> Page:
        """What `ser report` writes, parsed."""
        return parse_page(report(self.data, self.reports).read_text(encoding="utf-8"))

    def metrics(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.reports / "evaluation.json").read_text())
        return found

    def edit(self, **changes: Any) -> None:
        """Change keys of evaluation.json."""
        (self.reports / "evaluation.json").write_text(json.dumps(self.metrics() | changes))

    def write(self) -> None:
        """Write everything but the shards."""
        rng = np.random.default_rng(7)
        by_speaker = {name: ("test", "train", "val", "train")[i % 4] for i, name in enumerate(self.speakers)}
        clips = pd.DataFrame(
            {
                "clip_id": self.clip_ids,
                "path": [f"audio/{number:03}.wav" for number in range(NUM_CLIPS)],
                "sha256": [f"{number:064x}" for number in range(NUM_CLIPS)],
                "corpus": "toy",
                "speaker": [self.speakers[number % len(self.speakers)] for number in range(NUM_CLIPS)],
                "gender": ["female" if number % 2 else "male" for number in range(NUM_CLIPS)],
                "label": rng.choice(self.labels, NUM_CLIPS),
                "valence": "",
                "arousal": "",
            }
        )
        clips["gender"] = clips["speaker"].map(dict(zip(self.speakers, clips["gender"], strict=False)))
        clips.insert(6, "emotion", clips["label"])
        clips["split"] = clips["speaker"].map(by_speaker)
        (self.data / "denoised").mkdir(parents=True)
        clips.to_csv(self.data / "manifest.csv", index=False)
        header = "clip_id,path,reason,detail\n"
        (self.data / "rejects.csv").write_text(
            f"{header}toy/900,a.wav,empty,a.wav: zero bytes\ntoy/901,b.wav,empty,<script>alert(1)</script>\n"
        )
        (self.data / "denoised/rejects.csv").write_text(
            f"{header}{clips['clip_id'][3]},c.wav,non-finite,c.wav: NaN\n"
        )
        card = {
            "corpus": "toy", "synthetic": False, "files_sha256": "ab" * 32, "label_set": "native",
            "labels": self.labels, "split": "speaker", "speaker_independent": True, "folds": "5", "fold": 2,
            "val": "next fold", "split_seed": 3, "denoiser": "none", "seed": 11,
            "speakers": {part: [name for name in self.speakers if by_speaker[name] == part] for part in SPLITS},
        } | self.protocol  # fmt: skip
        summary = {
            "labels": self.labels,
            "protocol": {"files_sha256": "ab" * 32},
            "left_out": {"calm": 9},
            "rejected": 2,
        }
        (self.data / "manifest.json").write_text(json.dumps(summary))
        self.reports.mkdir()
        test = clips[clips["split"] == "test"].reset_index(drop=True)
        predictions = predict(test, self.labels, rng)
        predictions.to_csv(self.reports / "predictions.csv", index=False)
        scores = score(predictions["true_label"], predictions["pred_label"], self.labels)
        (self.reports / "evaluation.json").write_text(json.dumps(scores | {"protocol": card}))
        write_curves(self.reports / "training/plots/metrics")

    def add_shards(self, num_samples: int = 8000) -> None:
        """Write data/denoised and data/features: hiss with a tone, which alone is called speech."""
        manifest = pd.read_csv(self.data / "manifest.csv", dtype=str, keep_default_na=False)
        rng = np.random.default_rng(3)
        middle = slice(num_samples // 4, num_samples // 2)
        speech = np.array([[middle.start, middle.stop]], dtype=np.int64)
        tone = 12_000 * np.sin(2 * np.pi * 500 * np.arange(num_samples)[middle] / RATE)
        waveforms, features = [], []
        for fields in manifest.to_dict("records"):
            waveform = rng.normal(0, 60, num_samples)
            waveform[middle] += tone
            waveforms.append(Row({**fields, "peak": 1.0}, waveform.astype(np.int16)))
            columns = {**fields, "duration_s": num_samples / RATE, "augmentation": "", "has_speech": True}
            features.append(Row(columns, np.zeros((4, 3), np.float32), speech))
        copy = {**features[0].columns, "clip_id": f"{self.clip_ids[0]}#pitch+2", "augmentation": "pitch+2"}
        features.append(Row(copy, np.zeros((4, 3), np.float32), speech))
        attributes = {"sample_rate": str(RATE)}
        write_shard(self.data / "denoised/part-00000.h5", "waveform", waveforms, attributes)
        write_shard(self.data / "features/part-00000.h5", "mfcc", features, attributes)

    def add_everything_else(self) -> None:
        """Write what newer stages write: intervals, calibration, audit, robustness."""
        predictions = pd.read_csv(self.reports / "predictions.csv")
        tested = predictions["speaker"].nunique()
        ends = {name: [0.41, 0.75] for name in ("uar", "accuracy", "macro_f1")}
        recall = {label: [0.25, 0.875] for label in self.labels}
        self.edit(
            intervals={"level": 0.95, "draws": 1000, "speakers": tested, **ends, "recall": recall},
            intervals_note="",
            macro_precision=0.5432,
            macro_recall=self.metrics()["uar"],
            calibration={
                "before": {"nll": 1.9, "brier": 0.81, "ece": 0.2718},
                "after": {"nll": 1.2, "brier": 0.62, "ece": 0.0314},
                "bins": [
                    {"confidence": 0.45, "accuracy": 0.25, "count": 20},
                    {"confidence": 0.85, "accuracy": 0.875, "count": 60},
                ],
            },
            risk_coverage={"aurc": 0.1618, "points": [[0.25, 0.1], [0.5, 0.2], [1.0, 0.4]]},
        )
        findings = [
            {"kind": "retake", "severity": "note", "splits": ["train", "test"], "clips": [],
             "detail": "7 sentences twice"},
            {"kind": "near-identical", "severity": "warning", "splits": ["train", "test"],
             "clips": ["toy/001", "<script>alert(2)</script>"], "detail": "alike"},
        ]  # fmt: skip
        (self.data / "audit.json").write_text(
            json.dumps({"clips": NUM_CLIPS, "fingerprinted": NUM_CLIPS - 1, "findings": findings})
        )
        points = [
            {"snr_db": snr, "n_clips": 80, "uar": uar, "accuracy": uar, "nll": 1.0, "ece": 0.9 - uar}
            for snr, uar in ((None, 0.61), (20, 0.58), (0, 0.35), (-5, 0.271))
        ]
        robustness = {
            "checkpoint": "best_uar_0.6100.pt", "protocol": {}, "noise": "rain & dogs", "points": points,
        }  # fmt: skip
        (self.reports / "robustness.json").write_text(json.dumps(robustness))


def predict(test: pd.DataFrame, labels: list[str], rng: np.random.Generator) -> pd.DataFrame:
    """Predictions of a network that is right in three of five clips, and never quite sure."""
    logits = rng.normal(size=(len(test), len(labels)))
    right = rng.random(len(test)) < 0.6
    logits[np.flatnonzero(right), [labels.index(label) for label in test["label"][right]]] += 3
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    guess = np.array(labels, dtype=object)[probabilities.argmax(axis=1)]
    table = test[["clip_id", "speaker", "gender"]].assign(
        true_label=test["label"],
        pred_label=guess,
        correct=test["label"] == guess,
        confidence=probabilities.max(axis=1),
    )
    return table.assign(**{f"prob_{label}": probabilities[:, i] for i, label in enumerate(labels)})


def score(true: Any, predicted: Any, labels: list[str]) -> dict[str, Any]:
    parts = precision_recall_fscore_support(true, predicted, labels=labels, zero_division=0)
    per_class = {
        label: {"precision": float(p), "recall": float(r), "f1": float(f), "support": int(n)}
        for label, p, r, f, n in zip(labels, *parts, strict=True)
    }
    return {
        "accuracy": float(accuracy_score(true, predicted)),
        "uar": float(np.mean(parts[1])),
        "macro_f1": float(f1_score(true, predicted, labels=labels, average="macro", zero_division=0)),
        "per_class": per_class,
        "confusion": confusion_matrix(true, predicted, labels=labels).tolist(),
        "labels": labels,
        "n_clips": len(true),
        "temperature": 1.25,
        "checkpoint": "best_uar_0.6100.pt",
    }


def write_curves(folder: Path) -> None:
    epochs = np.arange(12)
    values = {
        "train/loss": 1.4 * np.exp(-epochs / 6) + 0.2,
        "val/loss": 1.4 * np.exp(-epochs / 4) + 0.6 + 0.02 * epochs,
        "val/uar": 0.61 - 0.35 * np.exp(-epochs / 3) - 0.004 * np.maximum(epochs - 8, 0),
        "train/lr": 2e-3 * np.sin(np.pi * (epochs + 1) / 14),
    }
    for name, curve in values.items():
        path = folder / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"{step}\t{value}" for step, value in zip(epochs, curve, strict=True)]
        path.write_text("\n".join([f"step\t{path.stem}", *lines]) + "\n")


LABELS = ["angry", "happy", "neutral", "sad"]
SPEAKERS = ["ann", "ben", "cleo", "dan", "eve", "finn"]
Make = Callable[..., Sample]


@pytest.fixture(scope="session")
def make_sample(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Write a made-up run into a folder of its own: make_sample(labels=…, speakers=…, clip_ids=…, corpus=…)."""

    def make(
        labels: list[str] = LABELS,
        speakers: list[str] = SPEAKERS,
        clip_ids: list[str] | None = None,
        **protocol: Any,
    ) -> Sample:
        ids = clip_ids or [f"toy/{number:03}" for number in range(NUM_CLIPS)]
        sample = Sample(tmp_path_factory.mktemp("sample"), labels, speakers, ids, protocol)
        sample.write()
        return sample

    return make


@pytest.fixture
def sample(make_sample: Make) -> Sample:
    """A run of an older version, to be changed at will."""
    return make_sample()


@pytest.fixture(scope="session")
def full_sample(make_sample: Make) -> Sample:
    """A run with all there is to show; only to be read."""
    found = make_sample()
    found.add_shards()
    found.add_everything_else()
    return found


@pytest.fixture(scope="session")
def full_page(full_sample: Sample) -> Page:
    return full_sample.page()
