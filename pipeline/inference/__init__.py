"""Answers for single files.

predict          audio file → emotion
inspection       `ser inspect`: what Tier 0 hears
"""
