"""Engines: what turns samples into captions."""
