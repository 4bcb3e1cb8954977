"""The lmdeploy engine on a real GPU, with a small model and our own commands.

`bundle` makes what a machine without network needs; `smoke` installs it there and runs.
"""
