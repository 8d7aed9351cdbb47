"""What a run's recording says about it: conditions on its numbers, the coach's findings, failures on demand."""
