"""The console: how far the campaign is, and its quality reports, inside Airflow's pages."""
