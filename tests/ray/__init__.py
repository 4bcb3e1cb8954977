"""Tests that only the libraries of a release's users are needed for."""
