"""What everything else stands on: heavy imports on demand, hyperparameters, the machine, locks. Knows no GAN."""
