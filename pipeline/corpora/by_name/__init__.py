"""Corpora whose file names are codes, one file per corpus.

ravdess  emodb
"""
