"""How a shard's archive comes into the store, from a download or a folder, and leaves it."""
