"""What the pixels of an image prove, and how English and Chinese say it.

`measure` turns an image into a `Look`; `english` and `chinese` turn looks into captions. They
never name an object or a scene.
"""
