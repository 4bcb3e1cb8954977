"""How a deployment is watched: the lines of a stage's log, and metrics."""
