"""`make deps`: writes into the project's and the recipe's dvc.yaml which code each stage depends on.

DVC does not follow imports, so every file that a stage's module imports, directly or not, is a dep of the stage.
`tests/test_house.py` holds the files against what this would write.
"""

import os
from io import StringIO
from pathlib import Path
from typing import Any

import grimp
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ("featurize", "model", "pipeline")
DVC_YAML = ROOT / "dvc.yaml"
PIPELINES = {
    DVC_YAML: "pipeline.stages",
    ROOT / "recipes" / "compact_denoiser" / "dvc.yaml": "recipes.compact_denoiser",
}
"""Files of stages, and the package that has a module of each stage's name."""


def build_graph() -> grimp.ImportGraph:
    """Who imports whom."""
    return grimp.build_graph(*FLOORS, "recipes", cache_dir=None)


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
        code = code_of(f"{PIPELINES[path]}.{name}", imports)
        stage["deps"] = others + [Path(os.path.relpath(ROOT / file, path.parent)).as_posix() for file in code]
    text = StringIO()
    yaml.dump(content, text)
    return text.getvalue()


if __name__ == "__main__":
    graph = build_graph()
    for file in PIPELINES:
        file.write_text(rewritten(file, graph), encoding="utf-8")
