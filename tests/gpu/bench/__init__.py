"""Throughput of the lmdeploy engine on models of real shape: `python -m tests.gpu.bench`.

The checkpoints are made on the spot, and what they say of a picture is known to the letter.
"""
