"""What is drawn for the report, as SVG.

drawing          what all share
confusion  reliability  speakers  curves  noise_levels  sound
"""
