"""What the pages of a Parquet file claim to unpack to, read before any is: a page may claim more than the file's
table of contents says, and pyarrow would take memory for it.

The headers of pages are Thrift's compact protocol (https://github.com/apache/parquet-format).
"""

from __future__ import annotations

from typing import Any

from gan_core.foundations.hyperparameters import ConfigError

MOST_PAGE = 200_000_000  # bytes that one page may unpack to
MOST_VALUES = 250_000_000  # of all pages, which may repeat one value
_DEEPEST = 8
_DATA, _DATA_2 = 5, 8  # fields of a header: what a page of data is
_BINARY, _LIST, _SET, _MAP, _STRUCT, _BYTE, _DOUBLE = 8, 9, 10, 11, 12, 3, 7


class _Header:
    """A reader of one header; raises ValueError and IndexError on junk."""

    def __init__(self, content: memoryview, at: int):
        self.content, self.at = content, at

    def varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.content[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
            if shift > 63:
                raise ValueError

    def number(self) -> int:
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def struct(self, depth: int = 0) -> dict[int, Any]:
        """The whole numbers and structs among its fields, by their ids; all else is passed over."""
        if depth > _DEEPEST:
            raise ValueError
        found, last = {}, 0
        while True:
            byte = self.content[self.at]
            self.at += 1
            if byte == 0:
                return found
            kind, step = byte & 0x0F, byte >> 4
            last = last + step if step else self.number()
            value = self._value(kind, depth)
            if value is not None:
                found[last] = value

    def _value(self, kind: int, depth: int) -> Any:
        if kind in (1, 2):  # a bool lies in its type
            return None
        if kind == _BYTE:
            self.at += 1
        elif kind in (4, 5, 6):
            return self.number()
        elif kind == _DOUBLE:
            self.at += 8
        elif kind == _BINARY:
            length = self.varint()
            self.at += length
        elif kind in (_LIST, _SET):
            byte = self.content[self.at]
            self.at += 1
            count = byte >> 4 if byte >> 4 != 15 else self.varint()
            if count > len(self.content):
                raise ValueError
            for _ in range(count):
                self._value(byte & 0x0F, depth + 1)
        elif kind == _STRUCT:
            return self.struct(depth + 1)
        else:
            raise ValueError
        return None


def largest_page(content: bytes, about: Any, name: str, refusal: type[ConfigError], most: int) -> int:
    """To how many bytes the largest page of a file unpacks (about: its metadata).

    Raises `refusal` where its pages claim more than is read (most: bytes in all), or are no pages.
    """
    view, total, values, largest = memoryview(content), 0, 0, 0
    for group in range(about.num_row_groups):
        for column in range(about.num_columns):
            chunk = about.row_group(group).column(column)
            start = chunk.data_page_offset
            if chunk.has_dictionary_page and chunk.dictionary_page_offset is not None:
                start = min(start, chunk.dictionary_page_offset)
            end, at = start + chunk.total_compressed_size, start
            if not 0 <= start <= end <= len(view):
                raise refusal(f"{name} is damaged: a column of it lies outside the file.")
            while at < end:
                try:
                    header = _Header(view, at)
                    fields = header.struct()
                    unpacked, packed = fields[2], fields[3]
                    values += max(0, (fields.get(_DATA) or fields.get(_DATA_2) or {}).get(1, 0))
                except (ValueError, IndexError, KeyError, AttributeError, TypeError):
                    raise refusal(f"{name} is damaged: a page of it has no readable header.") from None
                if packed < 0 or unpacked < 0:
                    raise refusal(f"{name} is damaged: a page of it has a size below nothing.")
                total += unpacked
                largest = max(largest, unpacked)
                if unpacked > MOST_PAGE or total > most or values > MOST_VALUES:
                    raise refusal(
                        f"{name} would unpack to more than is read: {most / 1e6:,.0f} MB in all, "
                        f"{MOST_PAGE / 1e6:,.0f} MB in one page, {MOST_VALUES:,} values."
                    )
                at = header.at + packed
    return largest
