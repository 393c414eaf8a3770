"""The pictures of the report, as SVG.

drawing          what all of them share
confusion  reliability  speakers  curves  noise_levels  sound
"""
