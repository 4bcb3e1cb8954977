"""What a user would pick instead, on the same images and the same simulated server."""
