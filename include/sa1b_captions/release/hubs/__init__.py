"""Hubs that releases are published at."""
