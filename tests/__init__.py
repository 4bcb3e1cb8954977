"""Tests, and what only tests use."""
