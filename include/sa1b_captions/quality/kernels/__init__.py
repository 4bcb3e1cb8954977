"""Compiled loops over the text of captions."""
