"""One archive over the network: links, ranges, and what a broken download left."""
