"""SA-1B to a bilingual caption dataset. Airflow-free: Airflow talks to it through its CLI."""
