"""What a presentation asks of its hall: a poll, and rounds of *Real or generated?*. In memory, and gone at its end.

Of a watcher nothing is known but the random key with which the page counts who watches, and the answers given with it.
"""

import threading
from collections import deque
from typing import Any

from gan_core.foundations.hyperparameters import ConfigError
from gan_core.recording.snapshot import Snapshot
from pages.ui.frames import hall_texts, rounds
from pages.ui.frames.polls import Ballot, Poll, Refused
from pages.ui.frames.rounds import Result, Round

MOST_ROUNDS = 20  # in the table; the oldest go first


class Hall:
    """Poll and rounds of one presentation. Any thread may call; revision: another one where watchers are to be told."""

    def __init__(self) -> None:
        self.ballot: Ballot | None = None
        self.round: Round | None = None
        self.results: deque[Result] = deque(maxlen=MOST_ROUNDS)
        self.revision = 0
        self.begun = 0  # polls and rounds so far, which numbers them
        self._lock = threading.RLock()

    # -- the presenter ------------------------------------------------------------------------------------

    def ask(self, poll: Poll) -> None:
        """Opens a poll; one before it is gone."""
        with self._lock:
            self.begun += 1
            self.ballot = Ballot(poll, self.begun)
            self.revision += 1

    def close(self) -> None:
        """Closes the poll: now watchers see what was answered."""
        with self._lock:
            if self.ballot is not None:
                self.ballot.open = False
                self.revision += 1

    def mark(self, truth: int) -> None:
        """Says which of the poll's answers happened, and closes it; ConfigError where there is no such answer."""
        with self._lock:
            if self.ballot is None or not 0 <= truth < len(self.ballot.poll.answers):
                raise ConfigError("There is no poll with such an answer.")
            self.ballot.open, self.ballot.truth = False, truth
            self.revision += 1

    def put_away(self) -> None:
        """Takes the poll away."""
        with self._lock:
            self.ballot = None
            self.revision += 1

    def begin_round(self, seconds: float | None = None) -> None:
        """Begins a round, once the training process has made its samples (`tick`); not while another one is on. A poll
        of which is marked what happened gives way to it."""
        with self._lock:
            if self.round is not None and self.round.stage in (rounds.DRAWING, rounds.ON):
                return
            if self.ballot is not None and self.ballot.truth is not None:
                self.ballot = None
            self.begun += 1
            self.round = Round(self.begun, rounds.ROUND_SECONDS if seconds is None else seconds)
            self.revision += 1

    def stop_round(self) -> None:
        """Ends the round now; one without samples is gone."""
        with self._lock:
            if self.round is not None and self.round.stage == rounds.ON:
                self.round.stop()
                self._over(self.round)
            else:
                self.round = None
            self.revision += 1

    def clear_rounds(self) -> None:
        """Takes the round and the table of all away."""
        with self._lock:
            self.round = None
            self.results.clear()
            self.revision += 1

    # -- the run ------------------------------------------------------------------------------------------

    @property
    def wish(self) -> int:
        """The samples that the run is to make now (View.judge); 0 for none."""
        with self._lock:
            return self.round.wish if self.round is not None and self.round.stage == rounds.DRAWING else 0

    def tick(self, snapshot: Snapshot) -> None:
        """Begins the round that waits if the run has made its samples, and ends the one whose time is over."""
        with self._lock:
            now = self.round
        judging = snapshot.frame.get("judging")
        if now is None:
            return
        if now.stage == rounds.DRAWING and judging is not None and judging["number"] == now.wish:
            now.deal(judging, snapshot.data)  # not under the lock: it compresses
            with self._lock:
                self.revision += 1
        with self._lock:
            if now.tick():
                self._over(now)
                self.revision += 1

    def _over(self, ended: Round) -> None:
        if ended.stage == rounds.OVER:
            self.results.append(ended.result())

    # -- the watchers -------------------------------------------------------------------------------------

    def answer(self, watcher: str, said: dict[str, Any]) -> None:
        """Counts {poll: number, answer: place} or {round: number, judged: [[sample, whether it is real], ...]}.

        Raises Refused, and then nothing has changed.
        """
        with self._lock:
            if "poll" in said:
                if type(said.get("answer")) is not int or type(said["poll"]) is not int:
                    raise Refused(400, "An answer is the number of a poll and of one of its answers.")
                if self.ballot is None or self.ballot.number != said["poll"]:
                    raise Refused(410, "This poll is over. The answer does not count.")
                self.ballot.take(watcher, said["answer"])
                return
            judged = _judged(said.get("judged"))
            if self.round is None or type(said.get("round")) is not int or self.round.number != said["round"]:
                raise Refused(410, "This round is not open. The answer does not count.")
            self.round.take(watcher, judged)

    def told(self, watcher: str) -> dict[str, Any]:
        """What a watcher is told: {revision, poll, round, rounds}; what was answered not before the poll is closed, and
        of samples never which are real."""
        with self._lock:
            told: dict[str, Any] = {"revision": self.revision, "poll": None, "round": None}
            told["rounds"] = hall_texts.table(self.results)
            if self.ballot is not None:
                poll, mine = self.ballot.poll, self.ballot.of(watcher)
                told["poll"] = {
                    "number": self.ballot.number,
                    "question": poll.question,
                    "answers": list(poll.answers),
                    "open": self.ballot.open,
                    "mine": mine,
                    "bars": "" if self.ballot.open else hall_texts.bars(self.ballot, mine),
                }
            if self.round is not None:
                told["round"] = {
                    "number": self.round.number,
                    "stage": self.round.stage,
                    "left": round(self.round.left(), 2),
                    "mine": self.round.of(watcher),
                    "judged": self.round.judged_by(watcher),
                }
            return told

    def samples(self, number: int) -> bytes:
        """The samples of the round that is on; b"" where it is not this one."""
        with self._lock:
            now = self.round
            return now.content if now is not None and now.number == number and now.stage == rounds.ON else b""


def _judged(pairs: Any) -> dict[int, bool]:
    """[[sample, whether it is called real], ...] as a dict; raises Refused for anything else."""
    shape = Refused(400, "An answer to a round is a list of samples, each with true for real or false for generated.")
    if not isinstance(pairs, list) or not pairs:
        raise shape
    judged: dict[int, bool] = {}
    for pair in pairs:
        if not isinstance(pair, list) or len(pair) != 2 or type(pair[0]) is not int or type(pair[1]) is not bool:
            raise shape
        if pair[0] in judged:
            raise Refused(400, "A sample stands twice in this answer.")
        judged[pair[0]] = pair[1]
    return judged
