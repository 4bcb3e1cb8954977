"""Whether a shard looks like the reference and like its neighbours."""
