"""Finding captions: what a gallery shows, by filters, in an order, a page at a time."""
