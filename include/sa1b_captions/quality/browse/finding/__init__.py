"""Facets of captions, their counts, and the samples that a filter finds, in an order."""
