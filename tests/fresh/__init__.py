"""The README's commands on a Debian just installed into a folder: `make test-fresh`."""
