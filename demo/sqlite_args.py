"""SQLite connection arguments, which Airflow takes as the name of a module attribute."""

# The default of 5 s ends the scheduler with "database is locked" when many tasks finish at once.
connect_args = {"timeout": 60}
