"""Download one archive and repack it: links file, HTTP, tar."""
