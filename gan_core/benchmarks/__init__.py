"""Speed, and published tables."""
