"""Where participants reach the study: an address that works from where they sit."""

from __future__ import annotations

import io
import os
import socket
from collections.abc import Mapping

HOST_VARIABLE = "CLICKSTUDY_HOST"
"""The address that the web process listens on, for the pages that print links."""
PATH_VARIABLE = "CLICKSTUDY_PATH"
"""The path under which the study is served, such as ``/study``; empty: none."""
PROXY_VARIABLE = "CLICKSTUDY_BEHIND_PROXY"
"""Set where every request comes through a proxy of ours, whose headers are believed."""
LOOPBACK = ("localhost", "127.0.0.1", "[::1]", "::1")
EVERYWHERE = ("0.0.0.0", "::")


def lan_address() -> str:
    """This computer's address in its own network; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()


def prefix() -> str:
    """What stands before every path of ours: empty, or such as ``/study``."""
    return clean_path(os.environ.get(PATH_VARIABLE, ""))


def clean_path(path: str) -> str:
    """A path as it stands before others.

    >>> clean_path("study/"), clean_path("/lab/a"), clean_path("/")
    ('/study', '/lab/a', '')
    """
    bare = path.strip("/")
    return f"/{bare}" if bare else ""


def behind_proxy() -> bool:
    """Whether a proxy of ours stands before the web process."""
    return bool(os.environ.get(PROXY_VARIABLE))


def client_address(ip: object, headers: Mapping[str, str]) -> str:
    """Whom a wrong guess is counted for: the browser's address, also behind our proxy.

    A proxy appends who asked it, so the last address is the one that it saw.
    """
    said = headers.get("X-Forwarded-For", "") if behind_proxy() else ""
    last = said.rpartition(",")[2].strip()
    return last or (ip if isinstance(ip, str) else "this computer")


def listens_beyond() -> bool:
    """Whether other computers can reach the web process."""
    return behind_proxy() or os.environ.get(HOST_VARIABLE, "127.0.0.1") not in LOOPBACK


def base_address(headers: Mapping[str, str]) -> str:
    """The address that the experimenter's own browser used, where others can use it too.

    Only a server that listens on every address is named by this computer's address in its
    network; behind a proxy the links say what the proxy says.

    Args:
        headers: of the experimenter's request.
    """
    host = headers.get("X-Forwarded-Host") or headers.get("Host") or "127.0.0.1"
    scheme = headers.get("X-Forwarded-Proto", "").split(",")[0].strip()
    origin = headers.get("Origin", "")
    if scheme not in ("http", "https"):
        scheme = "https" if origin.startswith("https:") else "http"
    name, separator, port = host.rpartition(":") if not host.endswith("]") else (host, "", "")
    if not separator or not port.isdigit():
        name, port = host, ""
    if name in LOOPBACK and os.environ.get(HOST_VARIABLE) in EVERYWHERE:
        name = lan_address()
    return (f"{scheme}://{name}:{port}" if port else f"{scheme}://{name}") + prefix()


def qr_code(link: str) -> bytes:
    """A link as a QR code, PNG."""
    import segno  # the command line reads this module too, without the serve extra

    buffer = io.BytesIO()
    segno.make(link, error="m").save(buffer, kind="png", scale=5, border=3)
    return buffer.getvalue()
