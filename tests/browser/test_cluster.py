"""A class on a cluster: a real server, two tabs in a real browser, and two nodes, simulated on this machine."""

import re

import pytest

from gan_core.runs import run_reading
from tests.conftest import Server, wait_until
from tests.support.cluster import simulated
from tests.support.tab import PLAY_SECONDS, SMALL, WINDOW, Tab


@pytest.fixture(scope="module")
def on_two_nodes(tmp_path_factory):
    """(the server, its folder of runs, the cluster, the cluster's nodes)."""
    folder = tmp_path_factory.mktemp("cluster")
    with simulated(2) as (cluster, nodes):
        server = Server(
            GANSCOPE_RAY=cluster.address,
            GANSCOPE_RUNS_DIR=str(folder / "runs"),
            GANSCOPE_CACHE=str(folder / "cache"),
            GANSCOPE_AWAY_SECONDS="5",
        )
        try:
            yield server, folder / "runs", cluster, nodes
        finally:
            server.stop()


def test_two_tabs_play_on_two_nodes_and_one_outlives_its_own(on_two_nodes, chromium):
    """A third tab waits for a place. A node dies: one run goes on, the other says why it ended, and is gone on with."""
    server, runs, cluster, nodes = on_two_nodes
    tabs = [Tab(chromium.new_context(viewport=WINDOW), f"{server.url}/{SMALL}") for _ in range(2)]
    try:
        for tab in tabs:
            tab.click("play")
        for tab in tabs:
            wait_until(lambda tab=tab: tab.step() >= 20, 2 * PLAY_SECONDS, "step 20 on a node")
        assert server.workers() == []  # of its own: they are the nodes'
        third = Tab(chromium.new_context(viewport=WINDOW), f"{server.url}/{SMALL}")
        third.click("play")
        wait_until(lambda: "Number 1 in the queue" in third.text("steps_per_second"), 30, "the queue of a full cluster")
        third.page.context.close()
        wait_until(lambda: sum(map(run_reading.is_run, runs.iterdir())) == 2, 60, "both runs on the disk")
        cluster.remove_node(nodes.pop(), allow_graceful=False)
        gone = "the node of the cluster that it ran on is gone"
        lost = wait_until(lambda: [tab for tab in tabs if gone in tab.page.inner_text("body")], 60, "a run that ended")
        assert len(lost) == 1
        other = next(tab for tab in tabs if tab not in lost)
        stood = other.step()
        wait_until(lambda: other.step() > stood, 30, "the other run to go on")
        other.page.context.close()
        (tab,) = lost
        tab.page.wait_for_selector(".st-key-take_up", timeout=90_000)
        kept = int(re.search(r"step ([\d,]+)", tab.text("offer"))[1].replace(",", ""))
        assert 0 < kept <= tab.step()
        tab.click("take_up")
        wait_until(lambda: tab.step() == kept, 2 * PLAY_SECONDS, "the run as it was kept, on the other node")
        tab.play(kept + 1)
        assert tab.errors == []
    finally:
        for tab in tabs:
            tab.page.context.close()
