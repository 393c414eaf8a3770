"""Every layout: the same corpus has the same clips, wherever its root is said to be, and half of it is still read."""

import csv
from pathlib import Path

import pytest

from featurize.errors import CorpusError, RejectsError
from pipeline.audit.audit_params import AuditParams
from pipeline.corpora import CorpusParams, read_corpus
from pipeline.corpora.clip import Clip
from pipeline.corpora.layouts.places import find_place, find_places, nearest_root
from pipeline.protocol.labels import LabelParams
from pipeline.protocol.manifest_file import read_manifest
from pipeline.protocol.split_params import SplitParams
from pipeline.stages.manifest import manifest
from tests.pipeline.corpora.layouts.same_corpus import CLIPS, WRITERS, Spoken, content

LAYOUTS = pytest.mark.parametrize("layout", WRITERS)


def clips_of(name: str, root: Path) -> dict[str, Clip]:
    """Name of each clip's file without what was put in front of it → clip."""
    corpus = read_corpus(CorpusParams(name=name, root=root))  # type: ignore[arg-type]
    return {Path(str(clip.path)).stem: clip for clip in corpus.clips}


@LAYOUTS
def test_the_same_corpus_has_the_same_clips(tmp_path: Path, layout: str) -> None:
    name, write = WRITERS[layout]
    found = clips_of(name, write(tmp_path / "corpus"))
    assert sorted(found) == [clip.name for clip in CLIPS]
    for clip in CLIPS:
        own = found[clip.name]
        assert Path(str(own.path)).read_bytes() == content(clip)
        assert own.corpus == name
        assert own.clip_id.startswith(f"{name}/")
        assert str(tmp_path) not in own.clip_id  # the same on every machine
        said = Spoken(clip.name, own.speaker, own.gender, own.emotion, own.split, own.text)
        if layout == "folders":
            said = said._replace(gender=clip.gender, text=clip.text)  # which no folder says
        assert said == clip


@LAYOUTS
def test_a_root_too_high_is_found(tmp_path: Path, layout: str) -> None:
    name, write = WRITERS[layout]
    root = write(tmp_path / "corpus")
    wanted = {stem: clip.split for stem, clip in clips_of(name, root).items()}
    above = root.parent
    assert {stem: clip.split for stem, clip in clips_of(name, above).items()} == wanted


@pytest.mark.parametrize(
    ("layout", "inside"),
    [("audformat", "wav"), ("nkululeko", "wav"), ("parquet", "data"), ("emobox", "fold_1")],
)
def test_a_root_too_low_is_found(tmp_path: Path, layout: str, inside: str) -> None:
    name, write = WRITERS[layout]
    assert len(clips_of(name, write(tmp_path / "corpus") / inside)) == len(CLIPS)


@LAYOUTS
def test_an_absent_or_empty_root_is_one_line(tmp_path: Path, layout: str) -> None:
    name, _ = WRITERS[layout]
    (tmp_path / "a" / "b" / "c" / "empty").mkdir(parents=True)
    for root, message in (
        (tmp_path / "absent", "does not exist"),
        (tmp_path / "a" / "b" / "c" / "empty", "corpus.root: "),
    ):
        with pytest.raises(CorpusError, match=message) as error:
            clips_of(name, root)
        assert str(root) in str(error.value)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("layout", sorted(set(WRITERS) - {"parquet", "folders"}))
def test_half_a_corpus_is_read_and_its_missing_recordings_are_rejected(tmp_path: Path, layout: str) -> None:
    name, write = WRITERS[layout]
    root = write(tmp_path / "corpus")
    for file in tmp_path.rglob("[abc]2.wav"):
        file.unlink()
    pointer = next(tmp_path.rglob("b1.wav"))
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n")
    params = CorpusParams(name=name, root=root, max_reject_fraction=0.5)  # type: ignore[arg-type]
    with pytest.raises(RejectsError, match="4 of 6 clips"):
        manifest(params, LabelParams(set="native"), SplitParams(method="predefined"), tmp_path / "data")
    with (tmp_path / "data" / "rejects.csv").open(encoding="utf-8") as file:
        reasons = {Path(row["path"]).stem: row["reason"] for row in csv.DictReader(file)}
    assert reasons == {"a2": "missing", "b1": "lfs-pointer", "b2": "missing", "c2": "missing"}


@LAYOUTS
def test_the_manifest_of_a_layout(tmp_path: Path, layout: str) -> None:
    name, write = WRITERS[layout]
    root = write(tmp_path / "corpus")
    params = CorpusParams(name=name, root=root)  # type: ignore[arg-type]
    split = SplitParams(method="predefined")
    manifest(params, LabelParams(set="native"), split, tmp_path / "data", AuditParams(fingerprint=False))
    table = read_manifest(tmp_path / "data" / "manifest.csv")
    assert table["split"].value_counts().to_dict() == {"train": 2, "val": 2, "test": 2}


def test_several_places_are_named_and_one_above_is_found(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "deep").mkdir(parents=True)
        (tmp_path / name / "mark").touch()

    def marked(folder: Path) -> bool:
        return (folder / "mark").is_file()

    assert find_places(tmp_path, marked, "a mark") == [tmp_path / "one", tmp_path / "two"]
    assert find_place(tmp_path / "one" / "deep", marked, "a mark") == tmp_path / "one"
    with pytest.raises(CorpusError, match=r"holds several of a mark; name one of .*one, .*two"):
        find_place(tmp_path, marked, "a mark")


def test_the_folder_that_paths_are_relative_to(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "x.wav").touch()
    assert nearest_root(tmp_path / "a" / "b" / "list.csv", ["y.wav", "x.wav"]) == tmp_path
    assert nearest_root(tmp_path / "a" / "b" / "list.csv", ["y.wav", "\0"]) is None
