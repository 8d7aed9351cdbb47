"""Whose run it is, and what a tab's user has chosen."""
