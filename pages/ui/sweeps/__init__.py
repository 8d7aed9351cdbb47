"""The page Sweep: its form, the process that trains, and what the trials show."""
