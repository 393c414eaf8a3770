"""Remote files are read and written like local ones, and errors are one line."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from featurize.denoise import DenoiseParams
from featurize.errors import SerError
from featurize.mfcc import MfccParams
from featurize.shards import Shard
from featurize.vad import VadParams
from pipeline.corpora import CorpusParams
from pipeline.extraction import grouping
from pipeline.locations import Url, fetched, listed, locate, make_folder, sizes, written
from pipeline.protocol.labels import LabelParams
from pipeline.protocol.manifest_file import read_clips
from pipeline.protocol.split_params import SplitParams
from pipeline.stages.denoise import denoise
from pipeline.stages.featurize import featurize
from pipeline.stages.manifest import manifest
from tests.waiting import LONG_S


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A file system on an S3 server on loopback, with a bucket named `corpus`."""
    import s3fs
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name in ("AWS_PROFILE", "AWS_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for limit in ("connect_timeout", "read_timeout"):  # 5 and 15 s, which a busy machine may need
        monkeypatch.setattr(s3fs.S3FileSystem, limit, LONG_S)
    s3fs.S3FileSystem.clear_instance_cache()
    system = s3fs.S3FileSystem()
    system.mkdir("corpus")
    yield system
    system.rm("corpus", recursive=True)  # the server's state is the process's
    s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


def rows(folder: Path | Url) -> dict[str, tuple[dict[str, Any], bytes]]:
    """Fields, without the path, and data of every row of every shard."""
    found = {}
    for place in listed(folder, "*.h5"):
        with fetched(place) as path:
            shard = Shard(path)
            for row in range(len(shard)):
                fields = shard.fields(row)
                del fields["path"]
                found[f"{place.name} {fields['clip_id']}"] = (fields, shard.data(row).tobytes())
    return found


def test_from_s3_to_s3_is_as_from_disk_to_disk(
    s3: Any, noise_corpus: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grouping, "CLIPS_PER_SHARD", 3)
    table = noise_corpus(tmp_path, 8)
    for path in table["path"]:
        s3.put_file(str(path), f"corpus/raw/{path.name}")
    there = table.assign(path=[f"s3://corpus/raw/{path.name}" for path in table["path"]])
    data = Url("s3://corpus/run")

    def extract(clips: pd.DataFrame) -> None:
        with written(data / "manifest.csv") as file:
            clips.to_csv(file, index=False)
        denoise(DenoiseParams(), data, tmp_path / "reports", 0.0)
        featurize(VadParams(), MfccParams(), data, tmp_path / "reports", 0.0)

    def stamps() -> dict[str, Any]:
        s3.invalidate_cache()
        return {name: info["LastModified"] for name, info in s3.find("corpus/run", detail=True).items()}

    denoise(DenoiseParams(), tmp_path, tmp_path / "reports", 0.0)
    featurize(VadParams(), MfccParams(), tmp_path, tmp_path / "reports", 0.0)
    extract(there.drop(index=0))
    extract(there)  # every shard begins one clip earlier: rows are taken over from shards with the same names
    for kind in ("denoised", "features"):
        assert rows(data / kind) == rows(tmp_path / kind)
        assert sizes(data / kind / ".pieces") == {}
    before = {name: stamp for name, stamp in stamps().items() if name.endswith(".h5")}
    extract(there)
    assert {name: stamp for name, stamp in stamps().items() if name.endswith(".h5")} == before
    assert len(before) == 6


def test_a_table_may_name_objects_and_a_missing_one_is_rejected(
    s3: Any, noise_corpus: Any, tmp_path: Path
) -> None:
    for path in noise_corpus(tmp_path, 5)["path"]:
        s3.put_file(str(path), f"corpus/raw/{path.name}")
    lines = [f"s3://corpus/raw/{n}.wav,{e},s{n}" for n, e in enumerate(["happy", "sad"] * 3)]
    csv = tmp_path / "table.csv"
    csv.write_text("\n".join(["file_path,emotion_code,speaker", *lines]))
    corpus = CorpusParams(name="table", root=csv, max_reject_fraction=0.5)
    data = Url("s3://corpus/run")
    manifest(corpus, LabelParams(), SplitParams(), data)
    clips = list(read_clips(data / "manifest.csv"))
    assert [clip["path"] for clip in clips] == [f"s3://corpus/raw/{n}.wav" for n in range(5)]
    assert clips[0]["clip_id"] == "table/corpus/raw/0"
    with fetched(data / "rejects.csv") as rejects:
        assert "missing,s3://corpus/raw/5.wav" in rejects.read_text()
    s3.rm_file("corpus/raw/2.wav")
    denoise(DenoiseParams(), data, tmp_path / "reports", 0.5)
    with fetched(data / "denoised" / "rejects.csv") as rejects:
        assert "missing,s3://corpus/raw/2.wav" in rejects.read_text()


def test_remote_errors_are_one_line(s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    absent = pytest.raises(SerError, match=r"s3://absent/a\.csv: cannot be written .*make the bucket")
    with absent, written(Url("s3://absent/a.csv")) as file:
        file.write_text("a")
    with pytest.raises(FileNotFoundError), fetched(Url("s3://corpus/absent")):
        pass
    with monkeypatch.context() as poor:
        poor.delenv("AWS_ACCESS_KEY_ID")
        poor.delenv("AWS_SECRET_ACCESS_KEY")
        poor.setenv("HOME", str(tmp_path))
        type(s3).clear_instance_cache()
        with pytest.raises(SerError, match=r"s3://corpus/run: .*redentials") as raised:
            make_folder(Url("s3://corpus/run"))
    assert "\n" not in str(raised.value)


def test_a_protocol_without_its_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = importlib.import_module("fsspec.registry")  # the package has a mapping of the same name
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(registry._registry, "s3", raising=False)  # known once it was used
    with pytest.raises(SerError, match=r"s3://b/a: .*pip install 'ser\[s3\]'"), fetched(Url("s3://b/a")):
        pass
    with pytest.raises(SerError, match=r"quantum://b/a: not a URL that can be read"):
        make_folder(Url("quantum://b/a"))


def test_paths_and_addresses_are_distinguished() -> None:
    assert locate("data") == Path("data")
    assert locate(Path("data")) == Path("data")
    assert locate("file:///data/a b") == Path("/data/a b")
    assert locate("C:/data") == Path("C:/data")
    address = locate("s3://bucket/folder/")
    assert isinstance(address, Url)
    assert address / "a.h5" == "s3://bucket/folder/a.h5"
    assert (address / "a.h5").name == "a.h5"
    assert (address / "a.h5").parent == "s3://bucket/folder"
