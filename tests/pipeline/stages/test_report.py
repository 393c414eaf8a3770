"""The report tells the run's numbers, stamps what must be stamped, and trusts no name."""

import json
import shutil
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_recall_fscore_support

from featurize.errors import SerError
from pipeline.stages.report import SPLITS, report

HOSTILE = "<script>alert(1)</script>"
SYNTHETIC = "this score means nothing about people"
DEPENDENT = "Speaker-dependent: the test speakers were heard in training"
STALE = "these scores belong to another list of files"
VOID = {"meta", "link", "br", "hr", "img", "input"}


@dataclass
class Page(HTMLParser):
    """A parsed page: its text, tags, tables, references and pictures."""

    text: str = ""
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    tables: dict[str, list[list[str]]] = field(default_factory=dict)
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
        if "style" in self.open:
            return
        self.text += data
        if "caption" in self.open:
            self._caption += data
        elif self.open and self.open[-1] in {"td", "th"}:
            self._rows[-1][-1] += data

    def of(self, name: str) -> list[dict[str, str | None]]:
        """Attributes of every element of that name."""
        return [attributes for tag, attributes in self.tags if tag == name]


def parse(path: Path) -> Page:
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    page.close()
    assert page.open == []
    return page


def write_run(root: Path, labels: list[str], speakers: list[str], **protocol: Any) -> tuple[Path, Path]:
    """A run folder whose metrics are scikit-learn's, over predictions drawn at random."""
    data, reports = root / "data", root / "reports"
    rng = np.random.default_rng(7)
    clips = pd.DataFrame(
        {
            "clip_id": [f"toy/{number:03}" for number in range(240)],
            "path": [f"audio/{number:03}.wav" for number in range(240)],
            "sha256": "0" * 64,
            "corpus": "toy",
            "speaker": [speakers[number % len(speakers)] for number in range(240)],
            "gender": "",
            "label": rng.choice(labels, 240),
            "valence": "",
            "arousal": "",
        }
    )
    clips.insert(6, "emotion", clips["label"])
    by_speaker = {name: ("test", "train", "val", "train")[i % 4] for i, name in enumerate(speakers)}
    clips["split"] = clips["speaker"].map(by_speaker)
    (data / "denoised").mkdir(parents=True)
    clips.to_csv(data / "manifest.csv", index=False)
    (data / "rejects.csv").write_text(
        f"clip_id,path,reason,detail\ntoy/900,a.wav,empty,a.wav: zero bytes\ntoy/901,b.wav,empty,{HOSTILE}\n"
    )
    (data / "denoised/rejects.csv").write_text(
        "clip_id,path,reason,detail\ntoy/902,c.wav,non-finite,c.wav: NaN\n"
    )
    card = {
        "corpus": "toy", "synthetic": False, "files_sha256": "ab" * 32, "label_set": "native",
        "labels": labels, "split": "speaker", "speaker_independent": True, "folds": "5", "fold": 2,
        "val": "next fold", "split_seed": 3, "denoiser": "none", "seed": 11,
        "speakers": {part: [name for name in speakers if by_speaker[name] == part] for part in SPLITS},
    } | protocol  # fmt: skip
    (data / "manifest.json").write_text(
        json.dumps(
            {
                "labels": labels,
                "protocol": {"files_sha256": "ab" * 32},
                "left_out": {"calm": 9},
                "rejected": 2,
            }
        )
    )
    test = clips[clips["split"] == "test"].reset_index(drop=True)
    guess = np.where(rng.random(len(test)) < 0.6, test["label"], rng.choice(labels, len(test)))
    reports.mkdir()
    test[["clip_id", "speaker", "gender"]].assign(
        true_label=test["label"], pred_label=guess, correct=test["label"] == guess, confidence=0.5
    ).to_csv(reports / "predictions.csv", index=False)
    (reports / "evaluation.json").write_text(
        json.dumps(scores(test["label"], guess, labels) | {"protocol": card})
    )
    write_curves(reports / "training/plots/metrics")
    return data, reports


def scores(true: Any, predicted: Any, labels: list[str]) -> dict[str, Any]:
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


@pytest.fixture
def run(tmp_path: Path) -> tuple[Path, Path]:
    return write_run(tmp_path, LABELS, SPEAKERS)


def edit_metrics(reports: Path, **changes: Any) -> None:
    path = reports / "evaluation.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_numbers_and_protocol_are_told(run: tuple[Path, Path]) -> None:
    data, reports = run
    path = report(data, reports)
    assert path == reports / "index.html"
    page, metrics = parse(path), json.loads((reports / "evaluation.json").read_text())
    for name in ("uar", "accuracy", "macro_f1"):
        assert f"{metrics[name]:.3f}" in page.text
    for told in (
        "toy",
        "2 of 5",
        "native",
        "ab" * 32,
        "next fold",
        "best_uar_0.6100.pt",
        "3 train, 1 val, 2 test",
    ):
        assert told in page.text
    assert page.of("html") == [{"lang": "en"}]
    assert f"a guess has {1 / 4:.3f}" in page.text


def test_tables_agree_with_scikit_learn(run: tuple[Path, Path]) -> None:
    data, reports = run
    page, metrics = parse(report(data, reports)), json.loads((reports / "evaluation.json").read_text())
    per_class = page.tables["Scores per class on the test split"][1:]
    for row, label in zip(per_class, LABELS, strict=True):
        expected = metrics["per_class"][label]
        numbers = [f"{expected[name]:.3f}" for name in ("precision", "recall", "f1")]
        assert row == [label, *numbers, str(expected["support"])]
    confusion = page.tables["Test clips: rows are true classes, columns predicted ones"][1:]
    assert [[int(cell) for cell in row[1:]] for row in confusion] == metrics["confusion"]


def test_corpus_speakers_and_rejects(run: tuple[Path, Path]) -> None:
    data, reports = run
    page = parse(report(data, reports))
    manifest = pd.read_csv(data / "manifest.csv", dtype=str)
    corpus = {row[0]: row[1:] for row in page.tables["Clips in the manifest, by split and class"][1:]}
    assert corpus["Clips"] == ["120", "40", "80", "240"]
    assert corpus["Speakers"] == ["3", "1", "2", "6"]
    assert corpus["angry"][-1] == str((manifest["label"] == "angry").sum())
    speakers = page.tables["Test speakers: UAR, accuracy, and recall per class"][1:]
    assert sorted(row[0] for row in speakers) == ["ann", "eve"]
    assert [row[2] for row in speakers] == sorted(row[2] for row in speakers)
    rejects = page.tables["Clips that could not be used, by stage and reason"][1:]
    assert rejects == [["manifest", "empty", "2"], ["denoise", "non-finite", "1"]]
    assert "Left out by the label set: calm (9)." in page.text


def test_speaker_uar_is_the_mean_over_the_classes_it_has(run: tuple[Path, Path]) -> None:
    data, reports = run
    page, predictions = parse(report(data, reports)), pd.read_csv(reports / "predictions.csv")
    for row in page.tables["Test speakers: UAR, accuracy, and recall per class"][1:]:
        own = predictions[predictions["speaker"] == row[0]]
        recall = own["correct"].groupby(own["true_label"]).mean()
        assert row[2] == f"{recall.mean():.3f}"
        assert row[4:] == [f"{recall[label]:.3f}" for label in LABELS]


@pytest.mark.parametrize("synthetic", [True, False])
@pytest.mark.parametrize("independent", [True, False])
def test_stamps_are_there_exactly_when_due(tmp_path: Path, synthetic: bool, independent: bool) -> None:
    data, reports = write_run(
        tmp_path,
        LABELS,
        SPEAKERS,
        synthetic=synthetic,
        speaker_independent=independent,
        files_sha256="ab" * 32,
    )
    page = parse(report(data, reports))
    assert (SYNTHETIC in page.text) is synthetic
    assert (DEPENDENT in page.text) is not independent
    assert STALE not in page.text
    assert sum("data-stamp" in attributes for attributes in page.of("p")) == synthetic + (not independent)


def test_scores_of_another_file_list_are_stamped(tmp_path: Path) -> None:
    data, reports = write_run(tmp_path, LABELS, SPEAKERS, files_sha256="cd" * 32)
    assert STALE in parse(report(data, reports)).text


def test_names_stay_text(tmp_path: Path) -> None:
    labels = [HOSTILE, '"><img src=x onerror=alert(1)>', "$x^2$", "心{{ 7*7 }}"]
    speakers = [HOSTILE, "b&b", "'c'", "d", "e", "f"]
    data, reports = write_run(tmp_path, labels, speakers, corpus=HOSTILE, val=HOSTILE)
    edit_metrics(reports, checkpoint=HOSTILE + "\ud800")
    page = parse(report(data, reports))
    assert not page.of("script")
    assert not page.of("img")
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert page.text.count(HOSTILE) >= 6
    assert "心{{ 7*7 }}" in page.text


def test_page_needs_no_network(run: tuple[Path, Path]) -> None:
    data, reports = run
    path = report(data, reports)
    html, page = path.read_text(encoding="utf-8"), parse(path)
    assert "http:" not in html
    assert "https:" not in html
    assert "@import" not in html
    for _, attributes in page.tags:
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            assert (attributes.get(name) or "#").startswith(("#", "data:"))
        assert all("url(" not in (value or "") or "url(#" in (value or "") for value in attributes.values())
    policy = [
        meta["content"] for meta in page.of("meta") if meta.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy
    assert str(policy[0]).startswith("default-src 'none'")


def test_page_can_be_read_without_seeing_it(run: tuple[Path, Path]) -> None:
    data, reports = run
    page = parse(report(data, reports))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    inner = {str(attributes["href"])[1:] for attributes in page.of("a")}
    assert inner <= set(ids)
    pictures = page.of("svg")
    assert len(pictures) == 4  # confusion, loss, UAR, learning rate
    assert all(picture["role"] == "img" and picture["aria-label"] for picture in pictures)
    assert all(attributes.get("scope") in {"row", "col"} for attributes in page.of("th"))
    assert len(page.of("caption")) == len(page.of("table"))
    assert len(page.of("h1")) == len(page.of("main")) == 1


def test_same_run_same_bytes(run: tuple[Path, Path], tmp_path: Path) -> None:
    data, reports = run
    first = report(data, reports).read_bytes()
    assert report(data, reports).read_bytes() == first
    assert sorted(entry.name for entry in reports.iterdir()) == [
        "evaluation.json", "index.html", "predictions.csv", "training",
    ]  # fmt: skip


def test_bare_metrics_are_enough(run: tuple[Path, Path]) -> None:
    data, reports = run
    metrics = json.loads((reports / "evaluation.json").read_text())
    for name in ("macro_f1", "temperature", "checkpoint", "protocol"):
        del metrics[name]
    metrics["per_class"]["sad"] = {"precision": None, "recall": float("nan"), "f1": None, "support": 0}
    del metrics["per_class"]["happy"]
    (reports / "evaluation.json").write_text(json.dumps(metrics))
    shutil.rmtree(reports / "training")
    (data / "denoised/rejects.csv").unlink()
    page = parse(report(data, reports))
    assert "No training curves" in page.text
    assert page.tables["Scores per class on the test split"][4] == ["sad", "–", "–", "–", "0"]
    assert "Macro F1" not in page.text
    assert not any("data-stamp" in attributes for attributes in page.of("p"))


def test_what_else_the_protocol_says_is_shown(tmp_path: Path) -> None:
    denoiser = {"model": "dns64", "sha256": "ef" * 32}
    data, reports = write_run(
        tmp_path, LABELS, SPEAKERS, denoiser=denoiser, device="cpu", vad={"threshold": 0.5}
    )
    page = parse(report(data, reports))
    for told in ("model dns64, sha256 " + "ef" * 32, "Device", "threshold 0.5"):
        assert told in page.text


def test_unusual_curves(run: tuple[Path, Path]) -> None:
    data, reports = run
    folder = reports / "training/plots/metrics"
    (folder / "train/loss.tsv").write_text("step\tloss\n0\tnan\n1\tinf\n2\t0.5\n")
    (folder / "val/uar.tsv").write_text("timestamp\tstep\tuar\n17\t0\t0.25\n")
    (folder / "val/loss.tsv").write_text("step\tloss\n0\tnan\n")
    (folder / "grad_norm.tsv").write_text("step\tgrad_norm\n0\t3.5\n1\t2.5\n")
    (folder / "train/lr.tsv").write_text("step\tlr\n")
    page = parse(report(data, reports))
    assert "grad_norm" in page.text
    assert len(page.of("svg")) == 4
    assert "Learning rate" not in page.text


@pytest.mark.parametrize(
    ("name", "stage"),
    [
        ("data/manifest.csv", "ser manifest"),
        ("data/manifest.json", "ser manifest"),
        ("data/rejects.csv", "ser manifest"),
        ("reports/evaluation.json", "ser evaluate"),
        ("reports/predictions.csv", "ser evaluate"),
    ],
)
@pytest.mark.parametrize("damage", [None, b"", b"\xff\xfe{"])
def test_missing_or_damaged_file_names_itself_and_its_stage(
    run: tuple[Path, Path], tmp_path: Path, name: str, stage: str, damage: bytes | None
) -> None:
    (tmp_path / name).unlink()
    if damage is not None:
        (tmp_path / name).write_bytes(damage)
    with pytest.raises(SerError) as caught:
        report(*run)
    message = str(caught.value)
    assert name in message
    assert stage in message
    assert "\n" not in message
    assert not (tmp_path / "reports/index.html").exists()


@pytest.mark.parametrize(
    "changes",
    [{"n_clips": 3}, {"uar": "high"}, {"confusion": [[1]]}, {"labels": ["angry"], "confusion": [[80]]}],
)
def test_files_that_do_not_belong_together(run: tuple[Path, Path], changes: dict[str, Any]) -> None:
    edit_metrics(run[1], **changes)
    with pytest.raises(SerError, match=r"run `ser evaluate` again") as caught:
        report(*run)
    assert "\n" not in str(caught.value)
