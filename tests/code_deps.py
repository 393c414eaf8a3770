"""`make deps`: writes into dvc.yaml which code each stage depends on.

DVC does not follow imports, so every file that a stage's module imports, directly or not, is a dep of the stage.
`tests/test_house.py` holds the file against what this would write.
"""

from io import StringIO
from pathlib import Path
from typing import Any

import grimp
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ("featurize", "model", "pipeline")
DVC_YAML = ROOT / "dvc.yaml"


def build_graph() -> grimp.ImportGraph:
    """Who imports whom."""
    return grimp.build_graph(*FLOORS, cache_dir=None)


def source_of(module: str) -> str:
    """Path of a module relative to the root."""
    path = Path(*module.split("."))
    return (path / "__init__.py" if (ROOT / path).is_dir() else path.with_suffix(".py")).as_posix()


def code_of(module: str, imports: grimp.ImportGraph) -> list[str]:
    """Every file that runs when a module is imported, packages' own included where they hold more than a docstring."""
    modules = {module, *imports.find_upstream_modules(module)}
    return sorted(source_of(name) for name in modules)


def rewritten(path: Path, imports: grimp.ImportGraph) -> str:
    """A dvc.yaml with the code deps of each stage as they should be, and all else as it is."""
    yaml = YAML()
    yaml.width = 120
    yaml.indent(mapping=2, sequence=4, offset=2)
    content: Any = yaml.load(path.read_text(encoding="utf-8"))
    for name, stage in content["stages"].items():
        others = [dep for dep in stage.get("deps", []) if not dep.endswith(".py")]
        stage["deps"] = others + code_of(f"pipeline.stages.{name}", imports)
    text = StringIO()
    yaml.dump(content, text)
    return text.getvalue()


if __name__ == "__main__":
    DVC_YAML.write_text(rewritten(DVC_YAML, build_graph()), encoding="utf-8")
