"""What the system says of a process that a test started."""

import os
from pathlib import Path


def running(pid: int) -> bool:
    """Whether process `pid` runs: it is there, and no zombie that only waits to be asked how it ended."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except ProcessLookupError:  # it ended, perhaps while its file was read
        return False
    except FileNotFoundError:  # it ended between the two looks, or there is no /proc, where zombies are not told apart
        return not Path("/proc/self").exists()
