"""The validate stage, of shards and of a release, and what becomes of its verdicts."""
