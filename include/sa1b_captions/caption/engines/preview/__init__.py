"""What the pixels of an image prove, and how English and Chinese say it.

`pixels` measures an image as a `Look`; `single` and `group` decide once which claims its numbers
bear; `english` and `chinese` tell each claim in a sentence. No claim names an object or a scene.
"""
