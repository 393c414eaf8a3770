"""Several runs at once, or one run under other conditions.

laboratory       several DVC experiments as one: run, found again, read back
project          the project as git and DVC see it
crossvalidation  `ser cv`
pooled_folds     the predictions of all folds together, and their intervals
ablation         `ser ablate`
leak_tax         `ser leak-tax`
robustness       `ser robustness`
"""
