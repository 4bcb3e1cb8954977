"""An archive, or a folder of images, turned into a plain tar and its index."""
