"""Defects planted into good captions by seeded generators, so that nobody tuned their texts.

Every defect is a function of a random generator and a good caption; what it must plant is checked
by tests/unit/test_planting.py, apart from the rules that are to find it.
"""
