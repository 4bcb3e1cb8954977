"""The demo: the whole pipeline on one machine, with photographs out of packages."""
