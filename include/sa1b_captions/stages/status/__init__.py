"""How far a campaign is: its shards, its numbers over time, and when it will be done."""
