"""Stage `report`: write the results of a run as one self-contained HTML page."""

from pathlib import Path

from featurize.atomic import write_text
from pipeline.report.mistakes import find_mistakes
from pipeline.report.render import render
from pipeline.runs.workspace import read_workspace


def report(data: Path, reports: Path) -> Path:
    """Write reports/index.html from the files of the other stages.

    Returns:
        The page's path.

    Raises:
        SerError: a file is missing or damaged, or they are of different runs; the message names the stage to run.
    """
    workspace = read_workspace(data, reports)
    page = reports / "index.html"
    write_text(page, render(workspace, find_mistakes(workspace.run.predictions, data)))
    return page
