"""What is stale, of one shard and of all that is made of many, and the cause in words."""
