"""Odd input for every parser, for as long as one likes: `make fuzz FUZZ_S=60`.

Each target is a property in the manner of hypothesis: whatever comes, the parser answers with a
result that fits or with an error of its own kind, and nothing else. Hypothesis shrinks and prints
what breaks it, and keeps it under `.hypothesis` for the next run.
"""
