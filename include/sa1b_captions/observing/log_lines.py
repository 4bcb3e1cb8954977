"""How lines of the command line's log begin, after the time, that others look for."""

ERROR = "error: "
"""Why the process ends."""
PROGRESS = "progress: "
"""How far a stage is."""
