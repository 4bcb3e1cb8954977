"""Words, characters and phrases, and what each tells of a caption."""
