"""What the pixels of an image prove, and how English and Chinese say it.

`pixels` measures an image; `claims` and `group` decide once, and in which order, what its numbers
bear; a `Language` words each claim by a table of templates. No claim names an object or a scene.
"""
