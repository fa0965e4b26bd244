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
            f"{len(texts)} seed keywords were sent; at most {settings.max_seeds} can be searched at once.",
            "Send the rest in another request.",
        )
    for text in texts:
        if len(text) > settings.max_query_chars:
            raise UsageError(
                f"The seed keyword “{text[:20]}…” has {len(text)} characters; at most {settings.max_query_chars} "
                "can be searched.",
                "Shorten it to the words that name the product or service.",
            )
    return tuple(dict.fromkeys(seed for seed in map(normalise, texts) if seed))
