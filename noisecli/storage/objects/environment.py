"""What the environment says of a store, looked at before obstore: of some of it that one makes a panic, no error.

No value is shown, for most are secrets.
"""

import os
from urllib.parse import urlsplit

from noisecli.errors import Refused

_PREFIXES = {"s3": "AWS_", "gs": "GOOGLE_", "az": "AZURE_"}
_SENT = ("ACCESS_KEY", "SECRET", "TOKEN", "REGION", "ENDPOINT", "ACCOUNT_NAME")
_ENDPOINTS = {
    "AWS_ENDPOINT",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AZURE_ENDPOINT",
    "AZURE_STORAGE_ENDPOINT",
}


def refuse_environment(scheme: str) -> None:
    """Raise Refused where a variable that goes into requests to such stores holds what none can."""
    for name, value in sorted(os.environ.items()):
        upper = name.upper()
        if not upper.startswith(_PREFIXES[scheme]) or not any(word in upper for word in _SENT):
            continue
        if value != value.strip() or not value.isprintable():
            raise Refused(
                f"{scheme}://: {name} in the environment has a line break, a space at an end, or the like; "
                "set it again without"
            )
        if upper in _ENDPOINTS and not _is_address(value):
            raise Refused(
                f"{scheme}://: {name} in the environment is no address; write http:// or https://, host and port, "
                "or unset it"
            )


def _is_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and " " not in value
    except ValueError:
        return False
