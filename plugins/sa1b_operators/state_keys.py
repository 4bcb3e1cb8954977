"""Keys of what stages keep in the state store of their Airflow task; the console reads it."""

PROGRESS_KEY = "progress"
"""How far the stage is, as its last line says."""
NODE_KEY = "node"
"""Node that its pod runs on."""
