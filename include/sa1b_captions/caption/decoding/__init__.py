"""JPEGs of a shard: fetched, judged by their bytes, decoded, hashed."""
