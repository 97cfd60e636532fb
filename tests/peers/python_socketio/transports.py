"""Over which transport, for how long, and what comes after."""

import asyncio

from engineio.packet import PING
from talk import ASYNC, TRANSPORTS, Talk, join, numbers, server

COUNT = 1000


async def converse(talk):
    await talk.emit("count", COUNT)
    for number in numbers(COUNT):
        await talk.emit("bounce", number)
    heard = {"number": [], "bounce": []}
    while any(len(heard[event]) < COUNT for event in heard):
        event, args = await talk.heard.get()
        if event in heard:
            heard[event].append(args[0])
    return heard


async def alone(transports, carried_by):
    talk = await join(transports)
    for event, heard in (await converse(talk)).items():
        # Each event has a thread of its own in the client on threads: there the order is lost within the client.
        assert (heard if ASYNC else sorted(heard)) == numbers(COUNT), f"each {event} once, in order"
    assert talk.client.transport() == carried_by
    await talk.disconnect()


async def websocket():
    await alone(["websocket"], "websocket")


async def polling():
    await alone(["polling"], "polling")


async def change():
    for _ in range(3):
        await alone(["polling", "websocket"], "websocket")


async def heartbeat():
    for transport in ("websocket", "polling"):
        talk = await join([transport], path="lively")
        beats, done = 0, asyncio.Event()
        receive = talk.client.eio._receive_packet

        # The client tells nobody of pings, so what it receives is looked at.
        def look(packet):
            nonlocal beats
            beats += packet.packet_type == PING
            if beats == 4:
                talk.loop.call_soon_threadsafe(done.set)
            return receive(packet)

        talk.client.eio._receive_packet = look
        await done.wait()
        assert await talk.ask("echo", "alive") == "alive"
        await talk.disconnect()


async def disconnects():
    observer = await join()
    # In its words, and in the server's.
    cases = [
        # It closes its WebSocket first, and then says on it that it leaves.
        (["client disconnect"], ["client namespace disconnect", "transport close"], lambda talk: talk.disconnect()),
        (["server disconnect"], ["server namespace disconnect"], lambda talk: talk.emit("kick")),
        # As it finds a packet or a closed WebSocket.
        (["server disconnect", "transport error"], ["forced close"], lambda talk: talk.emit("cut")),
    ]
    for transports in TRANSPORTS:
        for here, there, part in cases:
            talk = await join(transports)
            sid = talk.client.get_sid()
            await part(talk)
            (reason,) = await talk.next("disconnect")
            assert reason in here, f"{reason!r} is not in {here}"
            told = await observer.ask("gone", sid)
            assert told in there, f"{told!r} is not in {there}"
    await observer.disconnect()


async def comes_back(talk, first):
    await talk.next("connect")
    assert talk.client.get_sid() != first, "it is somebody new"
    assert await talk.ask("echo", "back") == "back"
    await talk.disconnect()


# Where the server's goodbye is a packet, it takes that for a wish to part and does not come back.
COMING_BACK = (["websocket"], ["polling", "websocket"])


async def reconnect():
    for transports in COMING_BACK:
        talk = await Talk(reconnection=True).connect(transports)
        await talk.next("connect")
        first = talk.client.get_sid()
        await talk.emit("cut")
        await talk.next("disconnect")
        await comes_back(talk, first)


async def away(order, each):
    talks = [await Talk(reconnection=True).connect(transports) for transports in each]
    firsts = []
    for talk in talks:
        await talk.next("connect")
        firsts.append(talk.client.get_sid())
    await server(order)
    for talk in talks:
        await talk.next("disconnect")
    await server("start")
    for talk, first in zip(talks, firsts):
        await comes_back(talk, first)


async def silence():
    talk = await join(["websocket"], path="brisk")
    await server("freeze")
    assert await talk.next("disconnect") == ("transport error",)
    await server("thaw")


FEATURES = {
    "websocket": websocket,
    "polling": polling,
    "change": change,
    "heartbeat": heartbeat,
    "disconnects": disconnects,
    "reconnect": reconnect,
    "restart": lambda: away("stop", COMING_BACK),
    "crash": lambda: away("kill", TRANSPORTS),
    "silence": silence,
}
