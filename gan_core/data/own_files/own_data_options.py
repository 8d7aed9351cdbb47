"""A user's own file on the command line: an option for each choice, and what was understood, in words."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any

from gan_core.data.own_files import own_data
from gan_core.data.proposal import Choices, Proposal
from gan_core.foundations.hyperparameters import ConfigError

# Each is the name of a Question; its values are those that `ganscope data FILE` offers.
OPTIONS = {
    "kind": ("KIND", "points or images, where a file can be both"),
    "columns": ("X,Y", "of a table: the two columns to train on, by name or number"),
    "classes_from": ("NAME", "what says the class: a column, an array, a level of folders; none for no classes"),
    "decimal": ("MARK", "of a table: point or comma, where 101,037, or 1.388 beside 950, can be read in two ways"),
    "header": ("WHAT", "of a table: names or none, where the first row is numbers such as 0,1,2 or years"),
    "separator": ("WORD", "of a table: comma, semicolon, tab, bar or blank"),
    "encoding": ("NAME", "of a table: utf-8, cp1252, cp932, gb18030, ..."),
    "sheet": ("NAME", "of a workbook: the sheet to read"),
    "array": ("NAME", "of a file of arrays: the one that holds the images"),
    "axes": ("ORDER", "of an array of images: what its axes mean"),
    "transposed": ("YES", "of an array of images: whether rows and columns change places"),
    "fit": ("HOW", "of images that are not square: cut, pad or stretch"),
    "background": ("COLOUR", "behind what is transparent in images"),
    "values": ("RANGE", "of images: which values are black and white"),
    "held_out": ("WHAT", "of images in parts: what becomes of val and test"),
    "leave_out": ("NAMES", "of a folder or zip: the parts to leave out, divided by commas"),
}
LARGE = 10_000_000  # bytes, or what else is counted, from which on one wants to know how far it is


def add_options(parser: argparse.ArgumentParser) -> None:
    """An option for each choice."""
    group = parser.add_argument_group("how your own data are read (`data FILE` says what can be chosen)")
    for name, (value, text) in OPTIONS.items():
        group.add_argument(f"--{name.replace('_', '-')}", dest=f"own_{name}", metavar=value, help=text)


def choices_of(args: argparse.Namespace) -> Choices:
    """What was given of these options."""
    given = {name: getattr(args, f"own_{name}", None) for name in OPTIONS}
    return {name: value for name, value in given.items() if value is not None}


def read(path: str, choices: Choices, say: Callable[[str], None], answered: bool = True) -> Proposal:
    """What the file at `path` holds, its guesses said; raises ConfigError, if `answered` for an open question, too."""
    told = ""

    def progress(what: str, done: int, whole: int) -> None:
        nonlocal told
        text = f"{what}: {10 * int(10 * done / whole)} %" if whole > LARGE else ""
        if text and text != told:
            told = text
            say(text)

    proposal = own_data.propose_path(path, choices, progress)
    for note in proposal.notes:
        say(note)
    for said in proposal.left_out_said():
        say(f"Left out: {said}.")
    for name in own_data.unknown_choices(proposal, choices):
        say(f"--{name.replace('_', '-')} decides nothing about this file.")
    if answered:
        check_answered(proposal)
    return proposal


def told(path: str, choices: Choices, say: Callable[[str], None], as_json: bool) -> dict[str, Any]:
    """What the command `data` gives of a file: its record, the choices, and `text` for people.

    Raises ConfigError where it is refused or a question is open, after a line of JSON on standard output if `as_json`.
    """
    found: dict[str, Any] = {}
    try:
        proposal = read(path, choices, say, answered=False)
        found = {**proposal.record(), "choices": choices_in(proposal)}
        check_answered(proposal)
    except ConfigError as error:
        if as_json:
            print(json.dumps({**found, "error": str(error)}, allow_nan=False))
        raise
    return {**found, "text": as_text(proposal)}


def choices_in(proposal: Proposal) -> dict[str, dict[str, object]]:
    """The questions, for a program: by name what was chosen, what could be, and whether it must be."""
    return {
        question.name: {"chosen": question.chosen, "options": list(question.options), "open": question.open}
        for question in proposal.questions
    }


def check_answered(proposal: Proposal) -> None:
    """Raises ConfigError while a question is open; it names the option that answers it."""
    for question in proposal.open:
        ways = " or ".join(f"--{question.name.replace('_', '-')} {value}" for value in question.options)
        raise ConfigError(f"{question.help} Say which: {ways}.")


def as_text(proposal: Proposal) -> str:
    """What would be trained on, in lines."""
    lines = [f"{proposal.count:,} {proposal.kind} of {' x '.join(map(str, proposal.shape))}"]
    for name, both in proposal.ranges.items():
        (low, high), after = both["before"], both["after"]
        lines.append(f"  {name}: {low:g} to {high:g}, in training units {after[0]:g} to {after[1]:g}")
    if proposal.classes:
        shown = [f"{name} {count:,}" for name, count in list(proposal.classes.items())[:20]]
        lines.append(f"  classes: {', '.join(shown)}{', ...' if len(proposal.classes) > 20 else ''}")
    lines += [f"  left out: {said}" for said in proposal.left_out_said()]
    for question in proposal.questions:
        values = list(question.options)
        shown = ", ".join(values[:12]) + (", ..." if len(values) > 12 else "")
        lines.append(f"  --{question.name.replace('_', '-')} {question.chosen or 'nothing'} (of: {shown})")
    return "\n".join(lines)
