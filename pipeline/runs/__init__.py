"""One evaluated run.

scoring          logits → everything in evaluation.json
evaluation       the JSON of evaluation, audit and robustness, as types
results          one run's files, read back for the report
scored           one run of the workspace, a folder or a DVC revision
compare          `ser compare`
"""
