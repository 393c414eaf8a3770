"""The inputs of experiments, and files that a copy of the project would lack."""

from pathlib import Path

import pytest

from featurize.errors import SerError
from pipeline.experiments.experiment_runner import override
from pipeline.experiments.project import absolute_paths, code_digest, explain, run_dvc
from pipeline.params import Params

PIPELINE = """
stages:
  one:
    cmd: x
    deps: [code.py, '${corpus.root}']
    outs: [data/raw, data/made.json: {persist: true}]
  two:
    cmd: y
    deps: [data/made.json]
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    Path("dvc.yaml").write_text(PIPELINE)
    Path("code.py").write_text("1")
    Path("data/raw").mkdir(parents=True)
    Path("data/made.json").write_text("1")
    return tmp_path


def test_the_digest_depends_on_code_and_pipeline_only(project: Path) -> None:
    first = code_digest()
    Path("data/made.json").write_text("2")
    assert code_digest() == first
    Path("code.py").write_text("2")
    changed = code_digest()
    assert changed != first
    Path("dvc.yaml").write_text(PIPELINE + "# ")
    assert code_digest() not in {first, changed}


def test_files_beside_git_and_dvc_become_absolute(project: Path) -> None:
    for folder in ("mine", "added", "noises"):
        Path(folder).mkdir()
    Path("added.dvc").touch()
    noisy = override(Params(), {"augment.noise": "noises"})
    assert absolute_paths(noisy) == {"augment.noise": str(project / "noises")}
    assert absolute_paths(override(Params(), {"corpus.root": "mine"})) == {
        "corpus.root": str(project / "mine")
    }
    started = override(Params(), {"train.init": "mine"})
    assert absolute_paths(started) == {"train.init": str(project / "mine")}
    for known in ("data/raw", "added", "absent", str(project / "mine")):
        assert absolute_paths(override(Params(), {"corpus.root": known})) == {}


def test_an_error_of_dvc_names_its_log(project: Path) -> None:
    with pytest.raises(
        SerError, match=r"you are not inside of a DVC repository.*\(log: logs/a\.log\)"
    ) as raised:
        run_dvc(Path("logs/a.log"), "status")
    assert "\n" not in str(raised.value)
    assert Path("logs/a.log").exists()


def test_the_most_informative_line_of_a_log_is_given() -> None:
    assert explain("ser: one\nser: two \nERROR: failed\n\n") == "two"
    assert explain("x\nERROR: first\nHaving any troubles?") == "first"
    assert explain("x\nlast\n") == "last"
    assert explain(" \n") == "DVC failed without any output"
