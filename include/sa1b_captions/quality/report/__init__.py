"""Quality reports: self-contained HTML pages for people."""
