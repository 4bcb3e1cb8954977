"""What is different between two versions of the dataset."""
