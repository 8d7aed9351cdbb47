"""Everything about GANs, and nothing about screens. See the map in docs/architecture.md."""

__version__ = "0.1.0"
