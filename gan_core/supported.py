"""Which Pythons GANscope runs on. `python3 gan_core/supported.py` says what is wrong with another one, and fails.

Any Python must be able to read this file.
"""

import platform
import sys

OLDEST, NEWEST = (3, 11), (3, 13)  # for which TensorFlow has wheels; pyproject.toml says the same


def trouble(version, system, machine, bits):
    """Why TensorFlow cannot be installed here, or "". version: (major, minor); the rest: as sys and platform say."""
    if not OLDEST <= tuple(version) <= NEWEST:
        here = ".".join(str(number) for number in version)
        return "GANscope needs Python 3.11, 3.12 or 3.13, as TensorFlow does; this is Python " + here + "."
    if system == "darwin" and machine == "x86_64":
        return "GANscope does not run on Intel Macs (or a Python for them): TensorFlow needs a Mac with Apple silicon."
    if bits < 64:
        return "GANscope needs a 64-bit Python, as TensorFlow does; this one has 32 bits."
    return ""


if __name__ == "__main__":
    sys.exit(trouble(sys.version_info[:2], sys.platform, platform.machine(), 64 if sys.maxsize > 2**32 else 32) or 0)
