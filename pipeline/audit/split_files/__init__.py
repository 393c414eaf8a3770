"""`ser audit`: the leak audit on the split files of other tools.

audit_files      finds the folds, checks each, and sums up
read_splits      split files → entries
compare_audio    hashes and fingerprints of the recordings that are there
judge            the checks of one fold, and the verdict
verdict          types of the result
verdict_table    the result as text
"""
