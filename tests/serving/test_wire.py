"""The wire between server and worker, over real pipes."""

import contextlib
import io
import os
import threading
import time

import numpy as np
import pytest

from gan_core.recording.snapshot import View
from gan_core.serving.wire import Wire
from gan_core.settings.config import GANConfig

SECONDS = 30  # after which a thread counts as stuck


@pytest.fixture
def wires():
    """The two ends of a conversation."""
    a_reads, b_writes = os.pipe()
    b_reads, a_writes = os.pipe()
    files = [os.fdopen(fd, mode) for fd, mode in ((a_reads, "rb"), (a_writes, "wb"), (b_reads, "rb"), (b_writes, "wb"))]
    yield Wire(files[0], files[1]), Wire(files[2], files[3])
    for file in files:
        with contextlib.suppress(OSError):
            file.close()


def started(function, *args):
    thread = threading.Thread(target=function, args=args, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize(
    "body",
    [
        None,
        3,
        "größe",
        {"flat": GANConfig.from_flat({}).to_flat(), "points": None},
        View(heat=False, arrows=True),
        [1.5, (2, b"\0\n"), {"nested": [True]}],
    ],
    ids=lambda body: type(body).__name__,
)
def test_round_trip(wires, body):
    a, b = wires
    a.send("kind", body)
    assert b.receive() == ("kind", body)
    b.send("back", body)
    assert a.receive() == ("back", body)


def test_arrays_arrive_as_they_were(wires):
    a, b = wires
    array = np.random.default_rng(0).normal(size=(100, 2)).astype(np.float32)
    a.send("array", {"samples": array, "empty": array[:0]})
    _, body = b.receive()
    assert body["samples"].dtype == np.float32
    np.testing.assert_array_equal(body["samples"], array)
    assert body["empty"].shape == (0, 2)


def test_large_arrays_travel_beside_the_message_and_can_be_written_to(wires):
    """Without a copy of them in the sender: they are no part of the pickle."""
    a, b = wires
    arrays = [np.arange(100_000, dtype=np.uint8).reshape(10, -1), np.zeros((0, 2)), np.arange(50_000.0)]
    thread = started(a.send, "arrays", {"large": arrays, "small": np.arange(3)})
    _, body = b.receive()
    thread.join(SECONDS)
    assert not thread.is_alive()
    for sent, got in zip(arrays, body["large"], strict=True):
        assert got.dtype == sent.dtype and np.array_equal(got, sent)
        got += 1
    assert arrays[0][0, 0] == 0


def test_messages_arrive_in_order(wires):
    a, b = wires
    for i in range(100):
        a.send("n", i)
    assert [b.receive()[1] for _ in range(100)] == list(range(100))


def test_a_message_larger_than_the_pipe(wires):
    a, b = wires
    body = os.urandom(5_000_000)
    thread = started(a.send, "large", body)
    assert b.receive() == ("large", body)
    thread.join(SECONDS)
    assert not thread.is_alive()


def test_many_threads_may_send(wires):
    """No two messages get mixed up, and each thread's own arrive in order."""
    a, b = wires
    threads, messages = 8, 40

    def send(who):
        for i in range(messages):
            a.send("from", (who, i, bytes([who]) * 20_000))

    running = [started(send, who) for who in range(threads)]
    received = {who: [] for who in range(threads)}
    for _ in range(threads * messages):
        kind, (who, i, blob) = b.receive()
        assert kind == "from" and blob == bytes([who]) * 20_000
        received[who].append(i)
    assert all(order == list(range(messages)) for order in received.values())
    for thread in running:
        thread.join(SECONDS)
        assert not thread.is_alive()


class Halting(io.BytesIO):
    """A writer that lets other threads go ahead in the middle of every write."""

    def write(self, data):
        half = len(data) // 2
        super().write(data[:half])
        time.sleep(0.001)
        return half + super().write(data[half:])


def test_a_message_is_written_as_a_whole_whatever_the_writer():
    writer = Halting()
    wire = Wire(io.BytesIO(), writer)
    running = [started(lambda who=who: [wire.send("from", (who, i)) for i in range(10)]) for who in range(6)]
    for thread in running:
        thread.join(SECONDS)
        assert not thread.is_alive()
    reader = Wire(io.BytesIO(writer.getvalue()), writer)
    received = [reader.receive()[1] for _ in range(60)]
    assert sorted(received) == [(who, i) for who in range(6) for i in range(10)]


def test_the_end_of_the_other_side_is_an_eof(wires):
    a, b = wires
    a.send("last", 1)
    a.close()
    assert b.receive() == ("last", 1)
    for _ in range(2):
        with pytest.raises(EOFError):
            b.receive()


def test_an_end_that_comes_while_waiting(wires):
    a, b = wires
    ended = []

    def wait():
        try:
            b.receive()
        except EOFError:
            ended.append(True)

    thread = started(wait)
    a.close()
    thread.join(SECONDS)
    assert ended == [True]


@pytest.mark.parametrize("length", [3, 8, 12])
def test_an_end_in_the_middle_of_a_message(length):
    """Within its length, right after it, and within its content."""
    reads, writes = os.pipe()
    whole_reads, whole_writes = os.pipe()
    with os.fdopen(whole_reads, "rb") as reader, os.fdopen(whole_writes, "wb") as writer:
        Wire(reader, writer).send("kind", "a body")
        whole = os.read(whole_reads, 10_000)
    assert len(whole) > 12
    os.write(writes, whole[:length])
    os.close(writes)
    with (
        os.fdopen(reads, "rb") as reader,
        open(os.devnull, "wb") as nobody,
        pytest.raises(EOFError),
    ):
        Wire(reader, nobody).receive()


def test_sending_to_nobody_raises_oserror():
    reads, writes = os.pipe()
    with open(os.devnull, "rb") as nobody:
        wire = Wire(nobody, os.fdopen(writes, "wb"))
        os.close(reads)
        with pytest.raises(OSError):
            wire.send("kind", b"x" * 100_000)
        wire.close()


def test_sending_after_close_raises_valueerror(wires):
    a, _ = wires
    a.close()
    a.close()  # again does no harm
    with pytest.raises(ValueError):
        a.send("kind")


def test_what_cannot_be_pickled_sends_nothing(wires):
    a, b = wires
    with pytest.raises(Exception, match=r"pickle|local"):
        a.send("bad", lambda: None)
    a.send("good", 1)
    assert b.receive() == ("good", 1)
