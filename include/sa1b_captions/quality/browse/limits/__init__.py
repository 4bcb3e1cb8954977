"""What another limit would keep and drop, and the patch that proposes it."""
