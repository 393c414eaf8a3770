"""One evaluated run.

evaluation       evaluation.json and robustness.json
scoring          logits → the scores in evaluation.json
evaluated_run    one run out of the workspace, a folder or a DVC revision
workspace        everything that all stages have left in data/ and reports/, for the report
compare          `ser compare`
"""
