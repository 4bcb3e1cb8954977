"""Publish: the four JSONL files, their sidecars, card, checksums and manifest."""
