"""The rows of a release's tracks, and the files they are written to."""
