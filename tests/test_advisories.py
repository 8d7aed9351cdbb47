"""No package that GANscope runs on has a known vulnerability that a newer release mends.

The advisories come from the package index; where it cannot be reached or tells none, this test is skipped and says so.
"""

import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT

SECONDS = 120


def found() -> dict:
    """What pip-audit says of the packages that are installed here."""
    command = [sys.executable, "-m", "pip_audit", "--local", "--progress-spinner", "off", "--format", "json"]
    try:
        done = subprocess.run(
            [*command, "--timeout", "10"], cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        return json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        pytest.skip("the advisories cannot be had here")


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
