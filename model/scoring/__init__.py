"""Scores of predictions, and how certain they are.

metrics          UAR, precision, recall, F1, confusion matrix
confidence       likelihood, Brier score, calibration error, risk-coverage curve
calibration      the temperature, fitted on validation data
concordance      of predicted with true valence, arousal and dominance
shares           top-k accuracy, and divergence from the votes of raters
confusions       scores from one confusion matrix per speaker
intervals        confidence intervals by a jackknife over speakers
significance     tests of whether one run is better than another: swaps of speakers, McNemar
"""
