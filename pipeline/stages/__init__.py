"""One module per DVC stage, with the stage's own name; no arrow between them.

corpus  manifest  denoise  featurize  train  evaluate  report
"""
