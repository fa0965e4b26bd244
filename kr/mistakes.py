"""What pydantic finds wrong with a field, as a message that can be translated."""

from typing import Any

from pydantic_core import ErrorDetails, PydanticKnownError

from indexes.errors import Message


def message_of(mistake: ErrorDetails) -> Message:
    """A mistake's message. A check of ours says its own, by raising a ValueError of a `Message` or of a text."""
    context: dict[str, Any] = mistake.get("ctx") or {}
    cause = context.get("error")
    if isinstance(cause, ValueError) and cause.args:
        return cause.args[0] if isinstance(cause.args[0], Message) else Message(str(cause.args[0]))
    kind: Any = mistake["type"]
    template = PydanticKnownError(kind, context).message_template
    if "{expected_plural}" in template:
        count = context["max_length"] if "max_length" in context else context["min_length"]
        context = {**context, "expected_plural": "" if count == 1 else "s"}
    # As pydantic writes them: 0, not 0.0.
    return Message(template, **{name: f"{x:g}" if isinstance(x, float) else x for name, x in context.items()})


FIELD_MISTAKES = (
    "Field required",
    "Input should be a valid string",
    "String should have at least {min_length} character{expected_plural}",
    "String should have at most {max_length} character{expected_plural}",
    "String should match pattern '{pattern}'",
    "Input should be a valid integer",
    "Input should be a valid integer, unable to parse string as an integer",
    "Input should be a valid integer, got a number with a fractional part",
    "Unable to parse input string as an integer, exceeded maximum size",
    "Input should be a valid number",
    "Input should be a valid number, unable to parse string as a number",
    "Input should be a finite number",
    "Input should be a valid boolean",
    "Input should be a valid boolean, unable to interpret input",
    "Input should be a valid list",
    "Input should be a valid tuple",
    "Input should be a valid dictionary",
    "Input should be a valid dictionary or instance of {class_name}",
    "Input should be a valid dictionary or object to extract fields from",
    "Input should be greater than {gt}",
    "Input should be greater than or equal to {ge}",
    "Input should be less than {lt}",
    "Input should be less than or equal to {le}",
    "Input should be {expected}",
    "{field_type} should have at least {min_length} item{expected_plural} after validation, not {actual_length}",
    "{field_type} should have at most {max_length} item{expected_plural} after validation, not {actual_length}",
    "Input should be a valid date",
    "Input should be a valid date in the format YYYY-MM-DD, {error}",
    "Input should be a valid date or datetime, {error}",
    "Datetimes provided to dates should have zero time - e.g. be exact dates",
    "Input should be a valid datetime, {error}",
    "Unable to extract tag using discriminator {discriminator}",
    "Input tag '{tag}' found using {discriminator} does not match any of the expected tags: {expected_tags}",
)
"""Pydantic's texts for what our models check; a test gives every model wrong values and looks for others."""
