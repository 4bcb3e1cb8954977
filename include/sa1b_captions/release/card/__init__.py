"""What a release says of itself: card, licence, citation and Croissant file."""
