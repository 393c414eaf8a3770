"""The house itself: what stands on paper about it is true."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import grimp
import pytest
from ruamel.yaml import YAML

from pipeline.params import known_names

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ("featurize", "model", "pipeline")
STAGES: dict[str, Any] = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text())["stages"]
ORDER = ["corpus", "manifest", "denoise", "featurize", "train", "evaluate", "report"]


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    return grimp.build_graph(*FLOORS, cache_dir=None)


def source_of(module: str) -> str:
    """Path of a module relative to the root."""
    path = Path(*module.split("."))
    return str(path / "__init__.py" if (ROOT / path).is_dir() else path.with_suffix(".py"))


def test_the_stages_stand_in_order() -> None:
    assert list(STAGES) == ORDER


@pytest.mark.parametrize("stage", ORDER)
def test_a_stage_is_one_word_everywhere(stage: str) -> None:
    module = ROOT / "pipeline" / "stages" / f"{stage}.py"
    assert re.search(rf"^def {stage}\(", module.read_text(), re.MULTILINE)
    assert STAGES[stage]["cmd"] == f"ser {stage}"
    assert f"\ndef {stage}(" in (ROOT / "pipeline" / "commands" / "stages.py").read_text()


@pytest.mark.parametrize("stage", ORDER)
def test_dvc_watches_everything_that_a_stage_imports(stage: str, imports: grimp.ImportGraph) -> None:
    module = f"pipeline.stages.{stage}"
    needed = {source_of(name) for name in {module, *imports.find_upstream_modules(module)}}
    watched = {dep for dep in STAGES[stage]["deps"] if dep.endswith(".py")}
    assert watched == needed, f"dvc.yaml, stage {stage}, deps: " + "".join(
        f"\n      - {f}" for f in sorted(needed)
    )


@pytest.mark.parametrize("stage", ORDER)
def test_dvc_watches_only_params_that_exist(stage: str) -> None:
    assert set(STAGES[stage].get("params", [])) <= set(known_names())


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


def test_imports_go_downward_only() -> None:
    result = subprocess.run(["lint-imports"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_help_needs_nothing_heavy() -> None:
    code = "import sys, pipeline.cli; print(*[m for m in ('torch', 'pandas', 'sklearn', 'numpy') if m in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == ""


def test_readme_lists_every_module() -> None:
    readme = (ROOT / "README.md").read_text()
    missing = [
        path.name
        for floor in FLOORS
        for path in (ROOT / floor).rglob("*.py")
        if path.name != "__init__.py" and f"{path.name}" not in readme
    ]
    assert missing == []


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
