"""`make params`: writes the description of each parameter into params.yaml, as the comment on its line.

The descriptions are the docstrings under the fields of the models in `pipeline.params`. Keys, values and order stay as
they are. `tests/test_house.py` compares params.yaml with what this would write.
"""

import re
from pathlib import Path

from pydantic import BaseModel

from pipeline.params import Params

PARAMS_YAML = Path(__file__).resolve().parent.parent / "params.yaml"
COLUMN = 29
"""Where comments begin, unless the value is longer."""


def descriptions(model: type[BaseModel] = Params, prefix: str = "") -> dict[str, str | None]:
    """Description of every parameter and block, by dotted name."""
    found: dict[str, str | None] = {}
    for key, field in model.model_fields.items():
        found[f"{prefix}{key}"] = field.description
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found |= descriptions(field.annotation, f"{prefix}{key}.")
    return found


def commented(text: str) -> str:
    """A params.yaml with the descriptions as comments; a comment stays where the model has no description."""
    described = descriptions()
    lines, parents = [], [""]
    for line in text.splitlines():
        if match := re.fullmatch(r"( *)(\w+):( [^#]*?)?( +#.*)?", line):
            indent, key, value, comment = match.groups(default="")
            parents[len(indent) // 2 :] = [key]
            if description := described[".".join(parents)]:
                comment = f"# {_as_comment(description)}"
            entry = f"{indent}{key}:{value}"
            lines.append(f"{entry:<{COLUMN - 2}}  {comment.strip()}".rstrip())
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


def _as_comment(sentence: str) -> str:
    """A sentence without its full stop and capital."""
    first = sentence[0] if sentence[1:2].isupper() else sentence[0].lower()
    return first + sentence[1:].removesuffix(".")


if __name__ == "__main__":
    PARAMS_YAML.write_text(commented(PARAMS_YAML.read_text(encoding="utf-8")), encoding="utf-8")
