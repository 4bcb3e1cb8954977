"""The export stage: from what was curated to a version of the dataset."""
