"""Readers of a user's tables -> points."""
