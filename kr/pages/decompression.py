"""The body of a reply as it was before compression, read a piece at a time and never beyond a limit."""

import zlib
from collections.abc import Iterator

from kr.pages.problems import PageError, PageProblem

ACCEPTED_ENCODINGS = "gzip, deflate"
"""What is asked for. A reply in any other encoding is refused unread: nothing else is ever unpacked."""
PIECE_BYTES = 65_536
_GZIP = 16 + zlib.MAX_WBITS


def unpacked(pieces: Iterator[bytes], encoding: str, most_bytes: int, cut: bool = False) -> bytes:
    """The whole body. PageError if it is longer than `most_bytes`, damaged, or packed in a way that was not asked for.

    With `cut`, a longer one is read up to the limit. No more than `most_bytes` and a piece are ever held, however much
    a piece would unpack to.
    """
    kind = encoding.strip().lower()
    if kind in ("", "identity"):
        return _within(pieces, most_bytes, cut)
    if kind not in ("gzip", "x-gzip", "deflate"):
        raise PageError(PageProblem.COMPRESSION, encoding=kind[:40])
    try:
        return _within(_inflated(pieces, kind), most_bytes, cut)
    except zlib.error:
        raise PageError(PageProblem.COMPRESSION, encoding=kind) from None


def _within(pieces: Iterator[bytes], most_bytes: int, cut: bool) -> bytes:
    body = bytearray()
    for piece in pieces:
        body += piece
        if len(body) > most_bytes:
            if cut:
                return bytes(body[:most_bytes])
            raise PageError(PageProblem.TOO_LARGE, limit=most_bytes)
    return bytes(body)


def _inflated(pieces: Iterator[bytes], kind: str) -> Iterator[bytes]:
    """What the pieces unpack to, at most PIECE_BYTES at a time; a gzip file may have several members."""
    inflater = zlib.decompressobj(zlib.MAX_WBITS if kind == "deflate" else _GZIP)
    first = True
    for piece in pieces:
        waiting = piece
        while waiting:
            try:
                output = inflater.decompress(waiting, PIECE_BYTES)
            except zlib.error:
                # Some servers send deflate without its two bytes of header.
                if kind != "deflate" or not first:
                    raise
                inflater = zlib.decompressobj(-zlib.MAX_WBITS)
                output = inflater.decompress(waiting, PIECE_BYTES)
            first = False
            yield output
            waiting = inflater.unconsumed_tail
            if inflater.eof:
                waiting = inflater.unused_data if kind != "deflate" else b""
                # What follows a gzip file and is no other one is padding.
                if not waiting.startswith(b"\x1f"):
                    break
                inflater = zlib.decompressobj(_GZIP)
        if inflater.eof:
            return
    # What the inflater still holds back; a file that ends too early keeps what came.
    while inflater.unconsumed_tail:
        yield inflater.decompress(inflater.unconsumed_tail, PIECE_BYTES)
