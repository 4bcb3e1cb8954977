"""Judge captions: row rules, duplicates, expectations, reports."""
