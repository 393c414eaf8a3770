"""Recordings that a corpus holds twice: a second copy of the whole folder tree, or a known duplicate file."""

import os.path
from collections.abc import Sequence
from pathlib import PurePosixPath

from featurize.errors import counted
from pipeline.corpora.clip import LeftOut
from pipeline.protocol.findings import Finding


def find_doubles(left_out: Sequence[LeftOut]) -> list[Finding]:
    """The duplicates that the corpus's reader left out: one note for a second tree, one per known duplicate."""
    tree = [file for file in left_out if file.why == "same name and bytes"]
    findings = []
    if tree:
        folder = os.path.commonpath([PurePosixPath(file.name).parent for file in tree])
        are = counted(len(tree), "recording is", "recordings are")
        copies = "its copy" if len(tree) == 1 else "their copies"
        detail = (
            f"{are} in the corpus twice with identical bytes: {copies} in {folder}/ left "
            f"out, such as {tree[0].name}, a copy of {tree[0].kept}"
        )
        findings.append(Finding("doubled-tree", "note", [], [file.name for file in tree], detail))
    for file in left_out:
        if file.why == "known duplicate":
            detail = f"{file.name} is known to be the same recording as {file.kept}: left out"
            findings.append(Finding("near-identical", "note", [], [file.name, file.kept], detail))
    return findings
