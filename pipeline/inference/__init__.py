"""Single files.

predict          audio file → emotion
inspection       `ser inspect`: the result of Tier 0
"""
