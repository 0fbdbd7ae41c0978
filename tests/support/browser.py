"""A browser that is told what to do: Debian's chromium, by the Chrome DevTools Protocol."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from hang import HANG_SECONDS

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--window-size=1600,900", "--remote-debugging-port=0")
LOOK_SECONDS = 0.2


class Page:
    """One page of a browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket, self._sent = socket, 0

    async def open(self, url: str) -> None:
        """Go to an address; what is there comes by and by."""
        await self._command("Page.navigate", url=url)

    async def text(self) -> str:
        """All that is to be read on the page."""
        return str(await self._value("document.body ? document.body.innerText : ''"))

    async def shows(self, *texts: str) -> str:
        """Wait until all of these can be read; returns all that can."""
        async with asyncio.timeout(HANG_SECONDS):
            found = await self.text()
            while not all(text in found for text in texts):
                await asyncio.sleep(LOOK_SECONDS)
                found = await self.text()
        return found

    async def click(self, text: str) -> None:
        """Wait for what reads `text`, and click its innermost element, as a mouse does."""
        find = (
            "[...document.querySelectorAll('a, button, span, label, div')].filter(e => e.innerText && "
            f"e.innerText.trim() === {json.dumps(text)} && e.getClientRects().length).pop()"
        )
        middle = "(r => [r.x + r.width / 2, r.y + r.height / 2])(e.getBoundingClientRect())"
        where = f"(e => e && {middle})({find})"
        async with asyncio.timeout(HANG_SECONDS):
            while not (place := await self._value(where)):
                await asyncio.sleep(LOOK_SECONDS)
        for kind in ("mousePressed", "mouseReleased"):
            await self._command(
                "Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1
            )

    async def _value(self, expression: str) -> Any:
        answer = await self._command("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"].get("value")

    async def _command(self, method: str, **params: Any) -> Any:
        self._sent += 1
        await self._socket.send_json({"id": self._sent, "method": method, "params": params})
        while True:
            answer = await self._socket.receive_json(timeout=HANG_SECONDS)
            if answer.get("id") == self._sent:
                return answer["result"]


@asynccontextmanager
async def browser(program: str, profile: Path) -> AsyncIterator[Page]:
    """A page of a browser that is new, with its files in `profile`."""
    process = subprocess.Popen(
        [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        port = await _port(profile / "DevToolsActivePort")
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                pages = await answer.json()
            address = next(one["webSocketDebuggerUrl"] for one in pages if one["type"] == "page")
            async with session.ws_connect(address, max_msg_size=0) as socket:
                yield Page(socket)
    finally:
        process.terminate()
        process.wait(HANG_SECONDS)


async def _port(path: Path) -> int:
    """The port that a browser has chosen, which it writes into a file of its profile."""
    async with asyncio.timeout(HANG_SECONDS):
        while not (path.is_file() and len(lines := path.read_text().splitlines()) > 1):
            await asyncio.sleep(LOOK_SECONDS)
    return int(lines[0])
