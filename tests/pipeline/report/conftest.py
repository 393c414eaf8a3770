"""A small, complete, synthetic run, and its parsed page."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from featurize.atomic import write_json
from featurize.shards import Row, write_shard
from pipeline.protocol.card import ScoringCard
from pipeline.protocol.split_params import SPLITS
from pipeline.runs.evaluated_run import Run
from pipeline.runs.workspace import ROBUSTNESS
from pipeline.stages.report import report
from tests.pipeline.made_up import make_card, make_evaluation, make_summary, table_of, write_run

VOID = {"meta", "link", "br", "hr", "img", "input"}
RATE = 16_000
NUM_CLIPS = 240


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
    """A made-up run of 240 clips by six speakers, two of them tested on."""

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
                "dominance": "",
                "class_votes": "",
                "start_s": "",
                "end_s": "",
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
        card = make_card(
            **{"labels": self.labels, "label_set": "native", "fold": 2, "val": "next fold", "split_seed": 3}
            | {"seed": 11, "speakers": {part: self._speakers(by_speaker, part) for part in SPLITS}}
            | self.protocol
        )
        listed = card.model_copy(update={"files_sha256": "ab" * 32})
        summary = make_summary(listed, left_out={"calm": 9}, rejected=2)
        write_json(self.data / "manifest.json", summary.model_dump(mode="json"))
        test = clips[clips["split"] == "test"].reset_index(drop=True)
        write_run(predict(test, self.labels, rng, card), self.reports)
        write_curves(self.reports / "training/plots/metrics")

    def _speakers(self, by_speaker: dict[str, str], part: str) -> list[str]:
        return [name for name in self.speakers if by_speaker[name] == part]

    def add_shards(self, num_samples: int = 8000, silent: Sequence[int] = ()) -> None:
        """Write data/denoised and data/features: hiss with a tone, which alone is called speech; none in `silent`."""
        manifest = pd.read_csv(self.data / "manifest.csv", dtype=str, keep_default_na=False)
        rng = np.random.default_rng(3)
        middle = slice(num_samples // 4, num_samples // 2)
        speech = np.array([[middle.start, middle.stop]], dtype=np.int64)
        tone = 12_000 * np.sin(2 * np.pi * 500 * np.arange(num_samples)[middle] / RATE)
        waveforms, features = [], []
        for number, fields in enumerate(manifest.to_dict("records")):
            waveform = rng.normal(0, 60, num_samples)
            waveform[middle] += tone
            waveforms.append(Row({**fields, "peak": 1.0}, waveform.astype(np.int16)))
            found = number not in silent
            columns = {**fields, "duration_s": num_samples / RATE, "augmentation": "", "has_speech": found}
            features.append(Row(columns, np.zeros((4, 3), np.float32), speech if found else speech[:0]))
        copy = {**features[0].columns, "clip_id": f"{self.clip_ids[0]}#pitch+2", "augmentation": "pitch+2"}
        features.append(Row(copy, np.zeros((4, 3), np.float32), speech))
        attributes = {"sample_rate": str(RATE)}
        write_shard(self.data / "denoised/part-00000.h5", "waveform", waveforms, attributes)
        write_shard(self.data / "features/part-00000.h5", "mfcc", features, attributes)

    def add_everything_else(self) -> None:
        """Write what may be absent, audit and robustness; and scores whose digits are known."""
        ends = {name: [0.41, 0.75] for name in ("uar", "accuracy", "macro_f1")}
        recall = {label: [0.25, 0.875] for label in self.labels}
        own = {"level": 0.95, "method": "jackknife", "speakers": 3, "degrees_of_freedom": 2, "recall": recall}
        found = self.metrics() | {"intervals": own | ends}
        found["calibration"]["before"]["ece"] = 0.2718
        found["calibration"]["after"]["ece"] = 0.0314
        found["risk_coverage"]["aurc"] = 0.1618
        found |= {"top2": 0.8123, "top3": 0.9123, "votes": {"kl": 0.4567, "clips": 33}}
        few = {"ccc": -0.25, "interval": None, "clips": 4, "speakers": 1, "note": "one speaker"}
        found["affect"] = {
            "valence": {"ccc": 0.625, "interval": [0.5, 0.75], "clips": 79, "speakers": 3, "note": ""},
            "dominance": few,
        }
        self.edit(**found | {"intervals_note": "", "macro_precision": 0.5432})
        findings = [
            {"kind": "retake", "severity": "note", "splits": ["train", "test"], "clips": [],
             "detail": "7 sentences twice"},
            {"kind": "near-identical", "severity": "warning", "splits": ["train", "test"],
             "clips": ["toy/001", "<script>alert(2)</script>"], "detail": "alike"},
        ]  # fmt: skip
        (self.data / "audit.json").write_text(
            json.dumps(
                {"params": {}, "clips": NUM_CLIPS, "fingerprinted": NUM_CLIPS - 1, "findings": findings}
            )
        )
        points = [
            {"snr_db": snr, "n_clips": 80, "uar": uar, "accuracy": uar, "nll": 1.0, "ece": 0.9 - uar}
            for snr, uar in ((None, 0.61), (20, 0.58), (0, 0.35), (-5, 0.271))
        ]
        robustness = {"checkpoint": found["checkpoint"], "noise": "rain & dogs", "points": points}
        protocol = {key: value for key, value in found["protocol"].items() if key != "scored_with"}
        write_json(self.reports / ROBUSTNESS, robustness | {"protocol": protocol})


def predict(test: pd.DataFrame, labels: list[str], rng: np.random.Generator, card: ScoringCard) -> Run:
    """A run of a network that is right in three of five clips, and never quite sure."""
    logits = rng.normal(size=(len(test), len(labels)))
    truth = test["label"].map(labels.index).to_numpy(np.int64)
    right = np.flatnonzero(rng.random(len(test)) < 0.6)
    logits[right, truth[right]] += 3
    columns = {name: test[name].to_numpy(object) for name in ("clip_id", "corpus", "speaker", "gender")}
    evaluation = make_evaluation(truth, logits, columns, card, temperature=1.25)
    return Run("", evaluation, table_of(columns, truth, logits, evaluation))


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
    """A run without what may be absent, to be changed at will."""
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
