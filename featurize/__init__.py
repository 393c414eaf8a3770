"""Tier 0, the ground floor: arrays in, arrays out. Imports nothing from the floors above."""
