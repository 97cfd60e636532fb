"""The Python library `websockets` as a peer: what its frames look like is its business, what they say must arrive."""

import asyncio
import json
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

URL = sys.argv[1].replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"

EXTENSIONS = ["permessage-deflate"] if sys.argv[2:] == ["compressed"] else []


async def join():
    socket = await connect(URL, max_size=None, ping_interval=None)
    assert (await socket.recv()).startswith("0{")
    await socket.send("40")
    assert (await socket.recv()).startswith('40{"sid":')
    return socket


async def main():
    socket = await join()
    assert [extension.name for extension in socket.protocol.extensions] == EXTENSIONS

    for length in (0, 1, 125, 126, 65_535, 65_536, 900_000):
        text = "é" * (length // 2)
        await socket.send(f'421["echo",{json.dumps(text, ensure_ascii=False)}]')
        assert json.loads((await socket.recv())[3:]) == [text]

    async def pieces():
        for piece in ('422["ec', 'ho","🦀 in', ' pieces"]'):
            yield piece

    await socket.send(pieces())
    assert await socket.recv() == '432["🦀 in pieces"]'

    waiter = await socket.ping(b"are you there")
    await waiter

    data = bytes(i & 255 for i in range(100_000))
    await socket.send('451-3["echo",{"_placeholder":true,"num":0}]')
    await socket.send(data)
    assert await socket.recv() == '461-3[{"_placeholder":true,"num":0}]'
    assert await socket.recv() == data

    for i in range(1000):
        await socket.send(f'42{i}["echo",{i}]')
    for i in range(1000):
        assert await socket.recv() == f"43{i}[{i}]"

    await socket.close(1000)
    assert socket.close_code == 1000

    greedy = await join()
    await greedy.send("x" * 1_000_001)
    try:
        while True:
            await greedy.recv()
    except ConnectionClosed:
        assert greedy.close_code == 1009, greedy.close_code


asyncio.run(main())
