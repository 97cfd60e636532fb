"""The Python client python-socketio: over each transport, and from one to the other, it must not notice a difference."""

import asyncio
import sys

import socketio

URL = sys.argv[1]


async def talk(transports):
    client, other = socketio.AsyncClient(reconnection=False), socketio.AsyncClient(reconnection=False)
    heard = asyncio.get_running_loop().create_future()
    other.on("shout", heard.set_result)
    await client.connect(URL, transports=transports)
    await other.connect(URL, transports=transports)

    for value in ("hello", "é🦀\u2028", {"a": [1, None]}, b"\x00\x01\xff"):
        assert await client.call("echo", value) == value
    await client.emit("shout", "to the others")
    assert await asyncio.wait_for(heard, 20) == "to the others"
    for i in range(100):
        assert await client.call("echo", i) == i
    transport = client.transport()
    await client.disconnect()
    await other.disconnect()
    return transport


async def main():
    assert await talk(["websocket"]) == "websocket"
    assert await talk(["polling"]) == "polling"
    assert await talk(["polling", "websocket"]) == "websocket"


asyncio.run(main())
