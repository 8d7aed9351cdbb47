"""A poll among those who watch a run: a question, and who has answered what, which is all that is kept of them."""

from dataclasses import dataclass, field

from gan_core.foundations.hyperparameters import ConfigError

MOST_WATCHERS = 2_000  # of one presentation: those that are counted, and those whose answers are kept
FEWEST_ANSWERS, MOST_ANSWERS = 2, 4
LONGEST_QUESTION, LONGEST_ANSWER = 240, 60  # characters
LETTERS = "ABCD"


class Refused(Exception):
    """Why an answer does not count: an HTTP status and a sentence."""

    def __init__(self, status: int, sentence: str):
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True)
class Poll:
    """A question with two to four answers; ConfigError for any other.

    truth: which answer turned out to be right, where that is known before somebody says so; it is shown once the
    presenter asks for it.
    """

    question: str
    answers: tuple[str, ...]
    truth: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "question", _clean(self.question))
        object.__setattr__(self, "answers", tuple(map(_clean, self.answers)))
        if not self.question:
            raise ConfigError("The poll needs a question.")
        if len(self.question) > LONGEST_QUESTION:
            raise ConfigError(f"The question has {len(self.question)} letters; {LONGEST_QUESTION} fit on a phone.")
        if not FEWEST_ANSWERS <= len(self.answers) <= MOST_ANSWERS or not all(self.answers):
            raise ConfigError(f"The poll needs {FEWEST_ANSWERS} to {MOST_ANSWERS} answers.")
        long = [answer for answer in self.answers if len(answer) > LONGEST_ANSWER]
        if long:
            raise ConfigError(f"The answer “{long[0][:20]}…” has {len(long[0])} letters; {LONGEST_ANSWER} fit.")
        if len(set(self.answers)) < len(self.answers):
            raise ConfigError("Two of the answers are the same. Change one of them.")
        if self.truth is not None and not 0 <= self.truth < len(self.answers):
            raise ConfigError("The truth is not one of the answers.")


def _clean(text: str) -> str:
    """One line, without what a browser would not show."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


@dataclass
class Ballot:
    """A poll that is held. number: of the presentation. truth: the answer that happened, None until it is marked."""

    poll: Poll
    number: int
    open: bool = True
    truth: int | None = None
    _answers: dict[str, int] = field(default_factory=dict)

    def take(self, watcher: str, answer: int) -> None:
        """Counts the answer of a watcher; raises Refused where it does not count."""
        if not self.open:
            raise Refused(410, "The poll is closed. This answer does not count.")
        if not 0 <= answer < len(self.poll.answers):
            raise Refused(400, "The poll has no such answer.")
        if watcher in self._answers:
            raise Refused(409, "You have answered this poll already. Your first answer counts.")
        if len(self._answers) >= MOST_WATCHERS:
            raise Refused(503, f"{MOST_WATCHERS:,} have answered already; no more are counted.")
        self._answers[watcher] = answer

    def of(self, watcher: str) -> int | None:
        """What this watcher has answered."""
        return self._answers.get(watcher)

    def counts(self) -> list[int]:
        """How many have chosen each answer."""
        given = list(self._answers.values())
        return [given.count(i) for i in range(len(self.poll.answers))]
