"""The lmdeploy engine: the model in this process."""
