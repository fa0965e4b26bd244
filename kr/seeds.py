"""From what a caller sent to the seeds of a request: the edge where text is checked and normalised."""

from collections.abc import Sequence

from indexes.errors import UsageError
from indexes.text import normalise
from kr.settings import Settings


def parse_seeds(texts: Sequence[str], settings: Settings) -> tuple[str, ...]:
    """The distinct normalised seeds, in order; empty ones are left out, so the result may be empty.

    Raises UsageError if there are too many or one is too long.
    """
    if len(texts) > settings.max_seeds:
        raise UsageError(
            "{count} seed keywords were sent; at most {most} can be searched at once.",
            "Send the rest in another request.",
            count=len(texts),
            most=settings.max_seeds,
        )
    for text in texts:
        if len(text) > settings.max_query_chars:
            raise UsageError(
                "The seed keyword “{beginning}…” has {length} characters; at most {most} can be searched.",
                "Shorten it to the words that name the product or service.",
                beginning=text[:20],
                length=len(text),
                most=settings.max_query_chars,
            )
    return tuple(dict.fromkeys(seed for seed in map(normalise, texts) if seed))
