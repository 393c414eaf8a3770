"""One evaluated run.

evaluation       evaluation.json and robustness.json as types
trained          checkpoints: the best of a folder, and their metadata
scoring          logits → the scores in evaluation.json
writing          the files of a run
evaluated_run    reads one run from the workspace, a folder or a DVC revision
workspace        reads the files of all stages in data/ and reports/, for the report
compare          `ser compare`
"""
