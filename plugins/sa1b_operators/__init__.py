"""A stage as an Airflow task, with a class for each place it may run at.

DAGs call `stage.stage`. Nothing of Kubernetes is imported before a stage asks for a pod.
"""
