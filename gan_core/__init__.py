"""Everything about GANs, and nothing about screens. See the map in README.md."""
