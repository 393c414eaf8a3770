"""The baseline: functionals over time of a view, classified linearly. The network has to be better than it.

baseline_params  the parameters of the block `baseline`
functionals      frames of a clip → means, deviations, percentiles, slopes
linear           logistic regression or a linear SVM, with logits
choice           hidden states and penalty, chosen on the validation split; the refit
"""
