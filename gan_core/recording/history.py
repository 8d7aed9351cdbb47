"""What a run has been through, in bounded memory: the losses of all its steps, and the knob changes."""

from typing import Any

import numpy as np

from gan_core.training.train_step import COLUMNS

CAPACITY = 512  # bins; even, so that merging pairs never leaves one over
MARKERS = 40


class History:
    """Rows of COLUMNS, averaged into at most CAPACITY bins of equal width (a power of two of steps).

    A million steps cost the same memory and payload as a thousand. Each bin keeps mean, minimum and maximum, so
    that a spike stays visible however coarse the bins have become.
    """

    def __init__(self) -> None:
        self.stride = 1
        self.bins = 0
        # mean, minimum, maximum of each bin: [3, CAPACITY, columns]
        self._table = np.zeros((3, CAPACITY, len(COLUMNS)), np.float32)
        self.markers: list[dict[str, Any]] = []
        self._clear_open_bin()

    def _clear_open_bin(self) -> None:
        self._count = 0
        self._sum = np.zeros(len(COLUMNS))  # float64: thousands of float32 would drift
        self._low = np.full(len(COLUMNS), np.inf, np.float32)
        self._high = -self._low

    @property
    def steps(self) -> int:
        """Steps recorded."""
        return self.bins * self.stride + self._count

    def append(self, rows: np.ndarray) -> None:
        """float32 [n, columns], one row a step, in order."""
        while len(rows):
            if self._count == 0 and len(rows) >= self.stride and self.bins < CAPACITY:
                n = min(len(rows) // self.stride, CAPACITY - self.bins)
                block = rows[: n * self.stride].reshape(n, self.stride, -1)
                mean = block.mean(1, dtype=np.float64)
                self._table[:, self.bins : self.bins + n] = mean, block.min(1), block.max(1)
                self.bins += n
                rows = rows[n * self.stride :]
                continue
            if self.bins == CAPACITY:
                self._halve()
                continue
            n = min(len(rows), self.stride - self._count)
            self._sum += rows[:n].sum(0, dtype=np.float64)
            self._low = np.minimum(self._low, rows[:n].min(0))
            self._high = np.maximum(self._high, rows[:n].max(0))
            self._count += n
            rows = rows[n:]
            if self._count == self.stride:
                self._table[:, self.bins] = self._sum / self._count, self._low, self._high
                self.bins += 1
                self._clear_open_bin()

    def _halve(self) -> None:
        pairs = self._table.reshape(3, CAPACITY // 2, 2, -1)
        half = CAPACITY // 2
        self._table[:, :half] = pairs[0].mean(1), pairs[1].min(1), pairs[2].max(1)
        self.bins, self.stride = half, 2 * self.stride

    def mark(self, step: int, text: str) -> None:
        """Notes a knob change at `step`; one at the same step of the same knob replaces it (a drag)."""
        knob = text.split(" ", 1)[0]
        self.markers = [m for m in self.markers if (m["step"], m["knob"]) != (step, knob)]
        self.markers = [*self.markers, {"step": step, "knob": knob, "text": text}][-MARKERS:]

    def state(self) -> dict[str, Any]:
        """All of it, to be kept or written: arrays, numbers and the markers."""
        return {
            "stride": self.stride,
            "table": self._table[:, : self.bins].copy(),
            "count": self._count,
            "sum": self._sum.copy(),
            "low": self._low.copy(),
            "high": self._high.copy(),
            "markers": list(self.markers),
        }

    @classmethod
    def of_state(cls, state: dict[str, Any]) -> "History":
        """The history that `state` was taken of; raises ValueError where it is none."""
        new = cls()
        table, n = np.asarray(state["table"], np.float32), len(COLUMNS)
        stride, count = int(state["stride"]), int(state["count"])
        right = table.ndim == 3 and table.shape[::2] == (3, n) and table.shape[1] <= CAPACITY
        if not right or stride < 1 or not 0 <= count < stride:
            raise ValueError("no history")
        new.stride, new.bins, new._count = stride, table.shape[1], count
        new._table[:, : new.bins] = table
        for name, kind in (("sum", np.float64), ("low", np.float32), ("high", np.float32)):
            value = np.array(state[name], kind)
            if value.shape != (n,):
                raise ValueError("no history")
            setattr(new, f"_{name}", value)
        new.markers = list(state["markers"])
        return new

    def frame(self) -> dict[str, Any]:
        """`step` int32 [B] (the last step of each bin), `mean`, `low`, `high` float32 [B, columns], `markers`."""
        table = self._table[:, : self.bins]
        step = (np.arange(self.bins) + 1) * self.stride
        if self._count:
            part = np.stack([self._sum / self._count, self._low, self._high]).astype(np.float32)
            table, step = np.concatenate([table, part[:, None]], 1), np.append(step, self.steps)
        return {
            "step": step.astype(np.int32),
            "mean": table[0].copy(),
            "low": table[1].copy(),
            "high": table[2].copy(),
            "stride": self.stride,
            "markers": list(self.markers),
        }
