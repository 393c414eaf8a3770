"""What predictions are worth.

metrics          UAR, precision, recall, F1, confusion matrix
confidence       likelihood, Brier score, calibration error, risk by coverage
calibration      the temperature, fitted on validation data
intervals        how far a score moves with other speakers: bootstrap
significance     is one run better than another: swaps of speakers, McNemar
"""
