"""Readers of a user's pictures, in archives, folders, arrays and tables -> images."""
