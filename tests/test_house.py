"""The rules of the project's structure and documentation."""

import ast
import re
import shlex
import shutil
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import grimp
import pytest
from dvc.utils.hydra import apply_overrides
from ruamel.yaml import YAML

from featurize.atomic import write_json
from pipeline.params import known_names
from tests.code_deps import DVC_YAML, FLOORS, PIPELINES, ROOT, build_graph, rewritten
from tests.params_comments import PARAMS_YAML, commented, descriptions

FOUNDATIONS = {"featurize.atomic", "featurize.errors", "featurize.shards"}
STAGES: dict[str, Any] = YAML(typ="safe").load(DVC_YAML.read_text())["stages"]
STAGES_NAMED_AFTER_THEIR_STEP = {"denoise"}
TESTS_OF_MORE_THAN_A_MODULE = {
    "exactness",  # Tier 0 as a whole: the same bits in any company
    "golden",  # Tier 0 as a whole: the numbers of this VERSION
    "fuzz",  # decoders and audio
    "parts_of_files",  # decoders and audio
    "checks",  # the audit's, a few lines each
    "versions",  # denoise and featurize, stage after stage
    "any_input",  # every command
    "bad_input",  # the report's
    "browser",  # the report's page, opened
    "pictures",  # the report's, all of them
}
ORDER = ["corpus", "manifest", "denoise", "featurize", "encode", "train", "evaluate", "baseline", "report"]


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    return build_graph()


def test_the_stages_are_in_order() -> None:
    assert list(STAGES) == ORDER


@pytest.mark.parametrize("stage", ORDER)
def test_a_stage_is_one_word_everywhere(stage: str) -> None:
    module = ROOT / "pipeline" / "stages" / f"{stage}.py"
    assert re.search(rf"^def {stage}\(", module.read_text(), re.MULTILINE)
    assert STAGES[stage]["cmd"] == f"ser {stage}"
    assert f"\ndef {stage}(" in (ROOT / "pipeline" / "commands" / "stages.py").read_text()


@pytest.mark.parametrize("path", PIPELINES, ids=lambda path: str(path.relative_to(ROOT)))
def test_all_imports_of_a_stage_are_deps(path: Path, imports: grimp.ImportGraph) -> None:
    assert path.read_text() == rewritten(path, imports), "run `make deps`"


@pytest.mark.parametrize("stage", ORDER)
def test_all_params_of_a_stage_exist(stage: str) -> None:
    assert set(STAGES[stage].get("params", [])) <= set(known_names())


def test_dvcs_table_of_experiments_begins_with_the_score(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DVC shows the metrics of one stage after the other, as they stand in dvc.yaml and in their files."""
    monkeypatch.chdir(tmp_path)
    for file in ("dvc.yaml", "params.yaml", ".dvcignore"):
        Path(file).write_text((ROOT / file).read_text())
    for file, content in {
        "metrics.json": {"uar": 0.5, "accuracy": 0.4},
        "baseline/metrics.json": {"baseline": {"uar": 0.3, "accuracy": 0.2}},
        "timing/denoise.json": {"seconds": {"decode": 1.0}},
        "timing/featurize.json": {"seconds": {"vad": 1.0}},
    }.items():
        write_json(Path("reports") / file, content)
    dvc = [sys.executable, "-m", "dvc"]
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    for command in (["git", "init", "-q"], [*dvc, "init", "-q"], ["git", "add", "-A"]):
        subprocess.run(command, check=True)
    subprocess.run(["git", *identity, "commit", "-qm", "Baseline"], check=True)
    table = subprocess.run([*dvc, "exp", "show", "--csv"], capture_output=True, text=True, check=True).stdout
    columns = table.splitlines()[0].split(",")
    assert columns[columns.index("parent") + 1 :][:2] == ["uar", "accuracy"]
    assert "baseline.uar" in columns
    assert "seconds" not in table


def test_params_yaml_holds_every_parameter_at_its_default() -> None:
    from pipeline.params import Params, load_params

    written = YAML(typ="safe").load((ROOT / "params.yaml").read_text())

    def names(block: dict[str, Any], prefix: str = "") -> list[str]:
        found = []
        for key, value in block.items():
            found.append(prefix + key)
            if isinstance(value, dict) and value:
                found += names(value, f"{prefix}{key}.")
        return found

    assert names(written) == known_names()
    assert load_params(ROOT / "params.yaml") == Params()


def test_every_parameter_has_a_description_which_is_its_comment_in_params_yaml() -> None:
    assert [name for name, text in descriptions().items() if not text] == []
    text = PARAMS_YAML.read_text()
    assert text == commented(text), "run `make params`"
    entries = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert [line for line in entries if " # " not in line] == []
    assert [line for line in entries if len(line) > 120] == []


@pytest.mark.parametrize("floor", ["featurize", "model", "pipeline"])
def test_a_field_is_documented_under_the_field(floor: str) -> None:
    kinds = {"BaseModel", "NamedTuple", "TypedDict", "dataclass"}
    elsewhere = []
    for path in (ROOT / floor).rglob("*.py"):
        text = path.read_text()
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.ClassDef):
                continue
            names = {ast.unparse(each).split("(")[0] for each in [*node.bases, *node.decorator_list]}
            fields = [field for field in node.body if isinstance(field, ast.AnnAssign)]
            lines = [
                text.splitlines()[line - 1]
                for field in fields
                for line in (field.lineno - 1, field.end_lineno or 0)
            ]
            documented = re.search("^(Args|Attributes):", ast.get_docstring(node) or "", re.MULTILINE)
            if names & kinds and (documented or any("# " in line for line in lines)):
                elsewhere.append(f"{path.relative_to(ROOT)}: {node.name}")
    assert elsewhere == []


def test_imports_go_downward_only() -> None:
    result = subprocess.run(["lint-imports"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_model_imports_only_the_foundations_of_featurize(imports: grimp.ImportGraph) -> None:
    known = {
        target
        for module in imports.modules
        if module.startswith("model")
        for target in imports.find_modules_directly_imported_by(module)
        if target.startswith("featurize")
    }
    assert known == FOUNDATIONS


def test_help_imports_no_heavy_package() -> None:
    code = "import sys, pipeline.cli; print(*[m for m in ('torch', 'pandas', 'sklearn', 'numpy') if m in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == ""


def test_readme_lists_every_folder() -> None:
    readme = (ROOT / "README.md").read_text()
    tree = readme.split("## The tree")[1].split("```")[1]
    listed = {line.split()[0].rstrip("/") for line in tree.splitlines() if line[:1].strip()}
    folders = {
        path.parent.relative_to(ROOT).as_posix()
        for floor in FLOORS
        for path in (ROOT / floor).rglob("__init__.py")
    }
    assert folders <= listed


@pytest.mark.parametrize("floor", FLOORS)
def test_a_folder_lists_its_modules_in_its_init(floor: str) -> None:
    missing = [
        str(path.relative_to(ROOT))
        for path in (ROOT / floor).rglob("*.py")
        if path.name != "__init__.py" and path.stem not in (path.parent / "__init__.py").read_text()
    ]
    assert missing == []


def test_no_folder_has_more_than_twenty_modules() -> None:
    modules = [
        path for floor in FLOORS for path in (ROOT / floor).rglob("*.py") if path.name != "__init__.py"
    ]
    packages = [path.parent for floor in FLOORS for path in (ROOT / floor).rglob("*/__init__.py")]
    rooms = Counter(path.parent.relative_to(ROOT).as_posix() for path in [*modules, *packages])
    assert {folder: number for folder, number in rooms.items() if number > 20} == {}


def test_no_two_modules_share_a_name() -> None:
    names = Counter(path.stem for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))
    assert {name for name, count in names.items() if count > 1} == {
        "__init__",
        *STAGES_NAMED_AFTER_THEIR_STEP,
    }


def test_test_modules_mirror_modules() -> None:
    without_module = {
        path.stem.removeprefix("test_")
        for floor in FLOORS
        for path in (ROOT / "tests" / floor).rglob("test_*.py")
        if not is_mirror(path.relative_to(ROOT / "tests"))
    }
    assert without_module == TESTS_OF_MORE_THAN_A_MODULE


def is_mirror(test: Path) -> bool:
    module = ROOT / test.with_name(test.name.removeprefix("test_"))
    return module.exists() or module.with_suffix("").is_dir()


def test_the_lock_names_versions_and_hashes_and_no_host() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    pins = [line for line in lock.splitlines() if line and not line.startswith((" ", "#"))]
    assert all(re.match(r"[a-z0-9-]+==\S+ ", pin) for pin in pins)
    assert lock.count("--hash=sha256:") >= len(pins)


def test_files_stay_small() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for floor in FLOORS
        for path in (ROOT / floor).rglob("*.py")
        if (lines := len(path.read_text().splitlines())) > 250
    }
    assert long == {}


@pytest.mark.parametrize(
    "page", ["README.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
)
def test_parameters_of_commands_that_pages_show_can_be_set(page: str, tmp_path: Path) -> None:
    text = (ROOT / page).read_text().replace("\\\n", " ")
    for line in text.splitlines():
        if not line.startswith("dvc exp run"):
            continue
        words = shlex.split(line.partition(" && ")[0], comments=True)
        overrides = [value for flag, value in pairwise(words) if flag == "-S"]
        params = tmp_path / "params.yaml"
        shutil.copy(ROOT / "params.yaml", params)
        apply_overrides(params, overrides)
        for name in (override.partition("=")[0].lstrip("+") for override in overrides):
            assert name in known_names(), line
