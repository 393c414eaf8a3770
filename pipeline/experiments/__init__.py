"""Several runs together, or one run under other conditions.

experiment_runner  runs or queues several DVC experiments and reads their results
project            the project in git and DVC: its code digest, and calls of DVC
crossvalidation    `ser cv`
cross              `ser cross`
pooled_folds       the predictions of all folds together, and their intervals
ablation           `ser ablate`
leak_tax           `ser leak-tax`
robustness         `ser robustness`
"""
