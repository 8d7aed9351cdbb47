"""The generator and the discriminator: architectures, their Keras models, what they cost."""
