"""The commands of `ser`: each parses its options and calls one function, which it imports when it runs.

stages           one command per stage
published_corpora  corpora
experiments      summary, compare, cv, ablate, robustness, leak-tax
split_files      audit
single_files     inspect, predict, doctor
options          options that several commands share
"""
