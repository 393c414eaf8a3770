"""Tier 1: the network and everything that trains, measures and stores it."""
