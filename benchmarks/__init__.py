"""Measurements: one command each, the last line of its output is JSON."""
