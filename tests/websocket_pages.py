"""Pages of a real portal over Streamlit's own websocket: which session it is, and what a page run said."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

XSRF_COOKIE = "_streamlit_xsrf"


class OpenPage:
    """A websocket to the portal with the session behind it."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.session_id = ""
        self.messages: list[ForwardMsg] = []

    def run(self, address: str = "", query: str = "", widgets: BackMsg | None = None) -> list[ForwardMsg]:
        """Have a page run, as opening its address or acting on it does; its messages until the script has finished."""
        request = widgets or BackMsg()
        request.rerun_script.query_string, request.rerun_script.page_name = query, address
        self._socket.send(request.SerializeToString())
        messages: list[ForwardMsg] = []
        while True:
            message = ForwardMsg.FromString(self._socket.recv(60, decode=False))
            messages.append(message)
            if message.HasField("new_session"):
                self.session_id = message.new_session.initialize.session_id
            ended = message.WhichOneof("type") == "script_finished"
            if ended and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                return messages


@contextmanager
def open_page(base_url: str, address: str = "", query: str = "", cookie: str = "") -> Iterator[OpenPage]:
    """A page of the portal, open while the block runs."""
    headers = {"Cookie": cookie} if cookie else {}
    with connect(
        base_url.replace("http", "ws", 1) + "/_stcore/stream", max_size=None, additional_headers=headers
    ) as socket:
        page = OpenPage(socket)
        page.run(address, query)
        yield page


def xsrf_headers(client: httpx.Client) -> dict[str, str]:
    """The headers that prove to Streamlit that a page of its own sends a request."""
    client.get("/_stcore/health")
    return {"X-Xsrftoken": client.cookies[XSRF_COOKIE]}
