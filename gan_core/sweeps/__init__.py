"""Many trainings: settings along axes, each with several seeds, in as many processes as the machine has room for."""
