"""The file of a request: a part of a form or the body itself, bounded in size."""

from flask import current_app, request
from werkzeug.exceptions import RequestEntityTooLarge

from indexes.errors import UsageError
from kr.planning.source_file import SourceFile

FILE_FIELD = "file"
_LONGEST_NAME = 60


class UploadTooLarge(UsageError):
    """The file has more bytes than the operator lets in."""

    http_status = 413


def upload_too_large(limit: int) -> UploadTooLarge:
    """The error that says how many bytes are let in."""
    return UploadTooLarge(
        "The file has more than {limit:,} bytes.", "Split it, or use `manage.py plan import`.", limit=limit
    )


def uploaded_file() -> SourceFile:
    """The file that was sent; larger bodies than usual are taken here alone. UsageError if there is none."""
    limit = current_app.config["KR_WEB"].max_upload_bytes
    request.max_content_length = limit
    try:
        if request.mimetype == "multipart/form-data":
            part = request.files.get(FILE_FIELD)
            if part is None or not part.filename:
                raise UsageError("The form has no file named “{file_field}”.", "Choose a file.", file_field=FILE_FIELD)
            name, content = part.filename.replace("\\", "/").rpartition("/")[2], part.read()
        else:
            name, content = "", request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise upload_too_large(limit) from None
    most_bytes = current_app.config["KR"].plan_max_bytes
    return SourceFile(name[:_LONGEST_NAME] or "The file", content=content, most_bytes=most_bytes)
