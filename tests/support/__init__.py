"""What tests share: builders of small real things, servers that misbehave, doubles."""
