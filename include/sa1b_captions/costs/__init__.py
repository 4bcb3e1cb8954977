"""What a campaign will cost: a formula, a simulation, and the source of every number in them."""
