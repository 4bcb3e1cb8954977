"""The whole stack on small shards, while a seeded plan of faults is worked through."""
