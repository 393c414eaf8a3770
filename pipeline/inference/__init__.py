"""Single files.

predict          audio file → emotion
answers          predictions as a line, JSON or CSV
inspection       `ser inspect`: the result of Tier 0
"""
