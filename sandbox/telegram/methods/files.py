"""The method getFile."""

from typing import Any

from sandbox.telegram import files
from sandbox.telegram.call import Call, method
from sandbox.telegram.refusals import bad_request

DOWNLOAD_LIMIT = 20 * 2**20


@method("getFile")
async def get_file(call: Call) -> dict[str, Any]:
    """Return the download path of a file."""
    value = call.text("file_id")
    if not value:
        raise bad_request("file_id not specified")
    if "." in value:
        raise bad_request("invalid file_id")
    try:
        kind, content, letter = call.world.files.find(call.bot, value)
    except Exception as error:
        raise bad_request("invalid file_id") from error
    if content.size > DOWNLOAD_LIMIT:
        raise bad_request("file is too big")
    return {
        "file_id": value,
        "file_unique_id": files.unique_id(kind, content, "" if letter == "-" else letter),
        "file_size": content.size,
        "file_path": call.world.files.path(kind, content),
    }
