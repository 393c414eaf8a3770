"""One module per DVC stage, named like the stage; none imports another.

corpus  manifest  denoise  featurize  encode  train  evaluate  baseline  report
"""
