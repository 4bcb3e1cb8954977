"""Captions that say the same, and images that are the same."""
