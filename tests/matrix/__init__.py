"""The tests under other Pythons, lowest and newest versions: `make test-matrix`."""
