"""The Python side of what the browser's own scripts draw."""
