"""Captions labelled by hand, and how often the rules are right on them."""
