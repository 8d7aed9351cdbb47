"""No package that GANscope runs on has a known vulnerability that a newer release mends.

The advisories come from the package index; where it cannot be reached or tells none, this test is skipped and says so.
"""

import json
import re
import subprocess
import sys

import pytest

from tests.conftest import ROOT

SECONDS = 120
# What pip-audit writes where the index is not there, or is one that knows no advisories: all else is a fault to see.
UNREACHABLE = re.compile(
    "ConnectionError|Timeout|HTTPError|Max retries|ServiceError|Name or service not known|JSON", re.I
)


def found() -> dict:
    """What pip-audit says of the packages that are installed here."""
    command = [sys.executable, "-m", "pip_audit", "--local", "--progress-spinner", "off", "--format", "json"]
    try:
        done = subprocess.run(
            [*command, "--timeout", "10"], cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"the package index told no advisories within {SECONDS} s")
    if done.stdout:
        return json.loads(done.stdout)
    reason = (done.stderr.strip().splitlines() or ["nothing"])[-1][:300]
    assert UNREACHABLE.search(done.stderr), f"pip-audit failed by itself, with status {done.returncode}: {reason}"
    pytest.skip(f"the package index cannot be reached: {reason}")


def test_no_package_has_a_vulnerability_that_a_newer_release_mends():
    packages = [package for package in found()["dependencies"] if "skip_reason" not in package]
    if not packages:
        pytest.skip("the package index here tells no advisories")
    mended = [
        f"{package['name']} {package['version']}: {flaw['id']}, mended in {', '.join(flaw['fix_versions'])}"
        for package in packages
        for flaw in package["vulns"]
        if flaw["fix_versions"]
    ]
    assert not mended, "\n".join(mended)
