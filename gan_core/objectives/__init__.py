"""What is minimised, and how: losses, penalties, optimizers, learning-rate schedules. Pure functions."""
