"""Audit: what share of what captions say a judge does not find in their images."""
