"""What earlier workers left of a shard, and what of it counts."""
