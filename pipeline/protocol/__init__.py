"""Who is tested on what.

labels           emotions → classes
splits           train, val, test
folds            speakers and clips dealt into folds
manifest_file    the manifest's format
card             the protocol card, and which checkpoint fits which data
provenance       versions behind a number
"""
