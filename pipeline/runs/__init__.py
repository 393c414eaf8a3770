"""One evaluated run.

evaluation       evaluation.json and robustness.json as types
best_checkpoint  the checkpoint to use: a named file, or the best of a folder
initial_network  `train.init`: the network that training starts from
trained          the metadata of a checkpoint
scoring          logits → the scores in evaluation.json
writing          the files of a run
evaluated_run    reads one run from the workspace, a folder or a DVC revision
cross_matrix     cross.json as types
workspace        reads the files of all stages in data/ and reports/, for the report
compare          `ser compare`
"""
