"""Poll and rounds as HTML, the same for the presenter and for those who watch: numbers, our words and escaped ones."""

from collections.abc import Iterable
from html import escape

from pages.ui.frames import rounds
from pages.ui.frames.polls import LETTERS, Ballot
from pages.ui.frames.rounds import Result, Round


def percent(share: float) -> str:
    """A share in 0..1 in whole percents."""
    return f"{100 * share:.0f} %"


def many(n: int, what: str) -> str:
    """A number with its noun, in the plural where it is another than one."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def bars(ballot: Ballot, mine: int | None = None) -> str:
    """How many have chosen each answer, and which one happened; mine: the reader's own."""
    counts = ballot.counts()
    total = max(1, sum(counts))
    rows = []
    for i, (answer, count) in enumerate(zip(ballot.poll.answers, counts, strict=True)):
        notes = ["<b>✔ This is what happened</b>"] if i == ballot.truth else []
        notes += ["your answer"] if i == mine else []
        rows.append(
            f"<li{' class=truth' if i == ballot.truth else ''}><span>{LETTERS[i]}: {escape(answer)}</span>"
            f'<i style="--share:{count / total:.4f}"></i><b>{count:,} · {percent(count / total)}</b>'
            f"<em>{' · '.join(notes)}</em></li>"
        )
    return f'<ol class="ganscope-bars">{"".join(rows)}</ol>'


def table(results: Iterable[Result]) -> str:
    """The rounds so far: the hall beside the discriminator on the same samples; "" before the first."""
    rows = []
    for one in results:
        if one.answers:
            low, high = rounds.interval(one.right, one.answers)
            hall = percent(one.right / one.answers), f"{100 * low:.0f} to {100 * high:.0f} %"
            d = percent(one.d_right / one.answers)
        else:
            hall, d = ("no answers", "–"), "–"
        cells = (f"{one.step:,}", *hall, f"{one.answers:,}", d)
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    if not rows:
        return ""
    head = "<tr><th>Step</th><th>Hall right</th><th>95 % interval</th><th>Answers</th><th>D accuracy</th></tr>"
    return f'<table class="ganscope-table ganscope-rounds">{head}{"".join(rows)}</table>'


def asked(ballot: Ballot, viewers: int, with_bars: bool) -> str:
    """The poll for its presenter; with_bars: what is answered is shown while it is open, too."""
    said = f"{many(sum(ballot.counts()), 'answer')} from {many(viewers, 'viewer')}" + (
        "" if ballot.open else ", closed"
    )
    shown = bars(ballot) if with_bars or not ballot.open else ""
    return f"<div><h2>{escape(ballot.poll.question)} <small>{said}</small></h2>{shown}</div>"


def played(now: Round | None, results: Iterable[Result]) -> str:
    """The round and those before it for the presenter."""
    said = ""
    if now is not None and now.stage == rounds.DRAWING:
        said = "preparing the samples"
    elif now is not None and now.stage == rounds.FAILED:
        said = now.failure
    elif now is not None and now.stage == rounds.ON:
        answers, players = now.progress()
        left = f"{now.left():.0f} s left" if now.left() else "waiting for the last answers"
        said = f"{left} · {many(answers, 'answer')} from {many(players, 'player')}"
    return f"<div><h2>Real or generated? <small>{escape(said)}</small></h2>{table(results)}</div>"
