"""The audit stage, and what reports, the card and people make of its answers."""
