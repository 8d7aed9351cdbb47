"""The user's own images, each an encoded picture: a file of an archive or folder, or a cell of a Parquet file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from gan_core.data.image_datasets import LEAST_PICTURES
from gan_core.data.own_images import image_folders
from gan_core.data.own_images.image_decoding import (
    BAD,
    MOST_PAGES,
    SIZE,
    Decoder,
    SkippedError,
    header_of,
    is_picture,
    pages_of,
    suffixes,
)
from gan_core.data.own_images.image_members import Member
from gan_core.data.own_images.image_reading import BACKGROUNDS, Reading
from gan_core.data.own_images.image_rules import (
    MOST_MEMBER,
    MOST_PIXELS,
    MOST_TESTS,
    STORED_SIDE,
    PictureError,
    many,
    sample,
)
from gan_core.data.own_images.image_values import size_note
from gan_core.data.pictures import Pictures
from gan_core.data.resizing import resize
from gan_core.foundations.hyperparameters import printable, shorten

HEAD = 512
UNREAD = frozenset(
    (".heic", ".heif", ".svg", ".dcm", ".eps", ".psd", ".jxl", ".cr2", ".nef", ".arw", ".dng")
)  # pictures
SHOWN_ENDS = 3  # of files, in a refusal
_OTHER = "that are no images"


def start_of(member: Member) -> bytes:
    """The first bytes of a file; b"" where it is damaged."""
    try:
        return member.read(HEAD)
    except Exception:  # zipfile and zlib raise anything on junk
        return b""


def from_members(
    members: Sequence[Member], reading: Reading, most_pixels: int | None = None, are_classes: bool = False
) -> Pictures:
    """The pictures among the files of an archive or folder; raises PictureError.

    are_classes: the folders are known to be classes, so nothing is asked about them.
    """
    found, other = [], 0
    for member in members:
        if member.hidden:
            continue
        named = PurePosixPath(member.name.lower()).suffix in suffixes()
        if not named and not is_picture(start_of(member)):
            other += 1
            continue
        if member.size > MOST_MEMBER:
            raise PictureError(
                f"The image {shorten(member.name)} in {reading.name} has {member.size / 1e6:,.0f} MB; at most "
                f"{MOST_MEMBER / 1e6:,.0f} MB are read."
            )
        found.append(member)
    if not found:
        raise PictureError(_no_images(members, reading.name))
    found.sort(key=lambda member: member.parts)  # the order within an archive is whatever the packer left
    if are_classes:
        keep, held = np.arange(len(found)), np.zeros(len(found), bool)
        names = [member.parts[0] if len(member.parts) > 1 else None for member in found]
    else:
        keep, names, held = image_folders.chosen([member.parts for member in found], reading)
    labels, class_names = None, ()
    if any(name is not None for name in names):
        some, labels, class_names = reading.largest(names)
        keep, held = keep[some], held[some]
        if len(class_names) < 2:
            labels, class_names = None, ()
    rows = _sampled(held, reading)
    keep, held, labels = keep[rows], held[rows], None if labels is None else labels[rows]
    images, used, skipped = _decoded([found[i] for i in keep], reading, most_pixels or MOST_PIXELS)
    skipped[_OTHER] = other
    return _whole(images, held[used], None if labels is None else labels[used], class_names, skipped, reading)


def _no_images(members: Sequence[Member], name: str) -> str:
    """What an archive without images holds instead."""
    ends = Counter(PurePosixPath(member.name.lower()).suffix for member in members if not member.hidden)
    if not ends:
        return f"{name} has no images."
    shown = ", ".join(
        f"{count:,} {printable(end[:12]) or 'without an ending'}" for end, count in ends.most_common(SHOWN_ENDS)
    )
    more = ", ..." * (len(ends) > SHOWN_ENDS)
    advice = " Save them as .png or .jpg." if UNREAD & set(ends) else ""
    return f"{name} has no images that are read: it holds {shown}{more}.{advice}"


def _sampled(held: np.ndarray, reading: Reading) -> np.ndarray:
    """Which of the pictures are read: all, or as many as are used."""
    train, test = np.flatnonzero(~held), np.flatnonzero(held)
    some = train[sample(len(train))]
    if len(some) < len(train):
        reading.say(f"{len(train):,} images; a random {len(some):,} of them are used.")
    return np.sort(np.concatenate([some, test[sample(len(test), MOST_TESTS)]]))


def _decoded(
    members: Sequence[Member], reading: Reading, most_pixels: int
) -> tuple[list[np.ndarray], np.ndarray, dict[str, int]]:
    """(square arrays, which of the members they are, why others were left out)."""
    colour = BACKGROUNDS.get(reading.choices.get("background", ""), BACKGROUNDS["white"])
    decoder = Decoder(reading.choices.get("fit", "cut"), colour)
    images, used, skipped = _decode(decoder, members, reading, most_pixels)
    scale = _scale(decoder, reading) if images else None
    if scale is not None:  # what they use is known only now
        again = Decoder(decoder.fit, colour, scale, deep=decoder.deep)
        images, used, skipped = _decode(again, members, reading, most_pixels)
    if decoder.more_pages:
        reading.leave("pages of TIFF files after the first", decoder.more_pages)
        reading.say(
            f"Of a TIFF file the first page is read; {many(decoder.more_pages, 'page is', 'pages are')} left out."
        )
    fit = reading.fit(not decoder.uneven)
    reading.background(decoder.clear or (decoder.uneven and fit == "pad"))
    if images:
        sides = {image.shape[0] for image in images}
        edge = max if fit == "pad" else min
        side = STORED_SIDE if len({edge(size) for size in decoder.sizes}) > 1 else sides.pop()
        reading.notes += size_note(decoder.sizes, side, fit)
        images = images if {image.shape[0] for image in images} == {side} else [_to(image, side) for image in images]
    return images, np.array(used, np.intp), skipped


def _to(image: np.ndarray, side: int) -> np.ndarray:
    return resize(image.reshape(1, *image.shape[:2], -1), side)[0]


def _scale(decoder: Decoder, reading: Reading) -> tuple[float, float] | None:
    """(black, white) where the pictures must be decoded once more."""
    if decoder.deep is not None:
        scale = reading.black_and_white(decoder.deep, decoder.deep_low, decoder.deep_high)
        return None if scale == (0.0, 65535.0) else scale
    if decoder.low == decoder.high:
        raise PictureError(f"All images of {reading.name} are the same single colour: there is nothing to learn.")
    scale = reading.black_and_white(np.dtype(np.uint8), decoder.low, decoder.high)
    return None if scale == (0.0, 255.0) else scale


def _decode(
    decoder: Decoder, members: Sequence[Member], reading: Reading, most_pixels: int
) -> tuple[list[np.ndarray], list[int], dict[str, int]]:
    images, used, pixels = [], [], 0
    skipped = {BAD: 0, SIZE: 0}
    for i, member in enumerate(members):
        if i % 64 == 0:
            reading.at("Decoding the images", i, len(members))
        try:
            try:
                content = member.read(MOST_MEMBER)
            except Exception:  # zipfile and zlib raise anything on junk
                raise SkippedError(BAD) from None
            image = header_of(content)
            more = pages_of(content, MOST_PAGES - decoder.more_pages) - 1
            pixels += image.width * image.height
            if pixels > most_pixels:
                raise PictureError(
                    f"The images of {reading.name} have more than {most_pixels / 1e6:,.0f} million pixels."
                )
            images.append(decoder.array(image))
            decoder.more_pages += more
        except SkippedError as error:
            skipped[str(error)] += 1
            continue
        used.append(i)
    reading.at("Decoding the images", len(members), len(members))
    return images, used, skipped


def _whole(
    images: list[np.ndarray],
    held: np.ndarray,
    labels: np.ndarray | None,
    class_names: tuple[str, ...],
    skipped: dict[str, int],
    reading: Reading,
) -> Pictures:
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in skipped.items() if count)
    count = int((~held).sum())
    if count < LEAST_PICTURES:
        usable = f"only {many(count, 'usable image', 'usable images')}" if count else "no usable image"
        raise PictureError(f"{reading.name} has {usable}{f' (skipped: {reasons})' if reasons else ''}.")
    for reason, number in skipped.items():
        reading.leave(f"files {reason}", number)
    if reasons:
        reading.say(f"Skipped: {reasons}.")
    if labels is not None:  # a class none of whose pictures could be decoded is none
        there = np.unique(labels[~held])
        class_names = tuple(class_names[i] for i in there)
        known = np.isin(labels, there)
        images, held, labels = [x for x, k in zip(images, known, strict=True) if k], held[known], labels[known]
        labels = np.searchsorted(there, labels).astype(np.int32)
        if len(class_names) < 2:
            labels, class_names = None, ()
    pixels = _stacked(images)
    if not held.any():
        return Pictures(pixels, labels, class_names)
    tests = pixels[held]
    if labels is None:
        return Pictures(pixels[~held], None, (), tests)
    return Pictures(pixels[~held], labels[~held], class_names, tests, labels[held])


def _stacked(images: list[np.ndarray]) -> np.ndarray:
    """uint8 [N, side, side, C] of pictures that may differ in colour; empties the list as it goes."""
    channels = max(1 if image.ndim == 2 else image.shape[2] for image in images)
    side = images[0].shape[0]
    out = np.empty((len(images), side, side, channels), np.uint8)
    images.reverse()
    for i in range(len(out)):
        image = images.pop()
        out[i] = image.reshape(side, side, -1)  # one channel fills three
    return out
