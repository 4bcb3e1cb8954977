"""Turn a shard's samples into caption parts."""
