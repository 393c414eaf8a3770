"""The commands of `ser`, thin: options in, one call; everything heavy is imported inside them.

stages           one command per stage
experiments      summary, compare, cv, ablate, robustness, leak-tax
single_files     inspect, predict, doctor
options          what they share
"""
