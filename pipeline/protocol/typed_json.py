"""Parse a JSON file into its pydantic model, or raise an error that names the first wrong key."""

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from featurize.errors import SerError

Model = TypeVar("Model", bound=BaseModel)


def parse_json(
    model: type[Model], text: bytes, source: str, remedy: str, error: type[SerError] = SerError
) -> Model:
    """Parse a file's content.

    Args:
        model: the type that wrote the file.
        text: the file's bytes.
        source: name of the file in error messages.
        remedy: what the user should do, such as "run `ser evaluate` again".
        error: the class to raise.

    Raises:
        SerError: of class `error`; names the first key that is missing, unknown or wrong.
    """
    try:
        content = json.loads(text)
    except ValueError as fault:
        raise error(f"{source}: damaged ({fault}); {remedy}") from fault
    return validate(model, content, source, remedy, error)


def validate(
    model: type[Model], content: Any, source: str, remedy: str, error: type[SerError] = SerError
) -> Model:
    """Turn plain types into a model; arguments and errors as in `parse_json`."""
    try:
        return model.model_validate(content)
    except ValidationError as fault:
        raise error(f"{source}: {first_fault(fault)}; {remedy}") from fault


def first_fault(error: ValidationError) -> str:
    """The first fault that pydantic found, in a few words."""
    first = error.errors(include_url=False)[0]
    where = ".".join(map(str, first["loc"]))
    if first["type"] == "missing":
        return f"`{where}` is missing"
    if first["type"] == "extra_forbidden":
        return f"`{where}` is unknown to this version"
    return f"{f'`{where}`: ' if where else ''}{first['msg']}"
