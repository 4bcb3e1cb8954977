"""The stages, one module each: the only place where the folders beside it meet."""
