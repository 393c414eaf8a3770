"""Variants of network, training and augmentation, scored on validation speakers; README.md has the results.

sweep        runs the variants in sweep.yaml
"""
