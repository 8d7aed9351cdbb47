"""A test that fails has failed: a second try is for timeouts and browser errors alone, is told, and happens twice."""

import re
import subprocess
import sys

from tests.conftest import ROOT

# What each attempt of a test raises. Only the first attempt fails; all are marked as the tests in the browser are.
TESTS = """
import subprocess
import pytest
from playwright.sync_api import Error, TimeoutError
from tests.conftest import wait_until

pytestmark = pytest.mark.flaky(reruns=1)
tried = set()

def once(request, fail):
    if request.node.name not in tried:
        tried.add(request.node.name)
        fail()

def raises(error):
    def fail():
        raise error
    return fail

def refuses():
    assert 1 == 2

ERRORS = {
    "wait": lambda: wait_until(lambda: False, 0.01, "a frame"),
    "browser_timeout": raises(TimeoutError("Locator.click: Timeout 30000ms exceeded.")),
    "closed": raises(Error("Page.goto: net::ERR_CONNECTION_REFUSED at http://127.0.0.1:1/")),
    "process": raises(subprocess.TimeoutExpired("ps", 10)),
    "assertion": refuses,
    "script": raises(Error("Page.evaluate: TypeError: cannot read properties of undefined")),
    "error": raises(KeyError("a frame")),
}

@pytest.mark.parametrize("name", NAMES)
def test_it(request, name):
    once(request, ERRORS[name])
"""


def outcome(tmp_path, *names):
    """(exit status, what pytest said) of tests that fail at first with the errors of these names."""
    (tmp_path / "test_tried.py").write_text(TESTS.replace("NAMES", repr(names)))
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT)]
    command += ["-p", "tests.conftest", "-p", "no:cacheprovider", "-p", "no:xdist", str(tmp_path / "test_tried.py")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout


def test_a_timeout_or_a_lost_browser_has_a_second_try_which_is_told(tmp_path):
    for pair in (("wait", "browser_timeout"), ("closed", "process")):
        status, said = outcome(tmp_path, *pair)
        assert status == 0 and "2 passed" in said and "2 rerun" in said
        assert said.count("TRIED AGAIN") == 2
        told = re.findall(r"RERUN \S+test_it\[(\w+)\]", said)
        assert told == list(pair)


def test_what_is_wrong_has_none(tmp_path):
    status, said = outcome(tmp_path, "assertion", "script", "error")
    assert status == 1 and "3 failed" in said and "rerun" not in said.splitlines()[-1]


def test_the_third_in_a_suite_fails_it(tmp_path):
    status, said = outcome(tmp_path, "wait", "closed", "process")
    assert status == 1 and "1 failed, 2 passed, 2 rerun" in said
