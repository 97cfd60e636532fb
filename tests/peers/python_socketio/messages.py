"""What messages may hold, how large they may be, and how they are answered."""

import socketio
from talk import MSGPACK, TRANSPORTS, each_transport, join, numbers

LIMIT = 1_000_000
BYTES = bytes(i & 255 for i in range(70_000))


async def comes_back(talk, *args):
    """The same arguments, in an event and in an ack."""
    await talk.emit("bounce", *args)
    assert await talk.next("bounce") == args
    answer = await talk.ask("echo", *args)
    # It takes one answer out of its list, and says nothing for none.
    assert answer == (args if len(args) > 1 else args[0] if args else None)


async def binary(talk):
    await comes_back(talk, BYTES)
    await comes_back(talk, b"", "between", b"\x00")
    await comes_back(talk, {"a": [BYTES, {"b": b"\x1e\xff"}], "c": "words", "d": None})
    await talk.emit("size", BYTES)
    assert await talk.next("size") == (len(BYTES),)


async def acks(talk):
    for number in numbers(100):
        assert await talk.ask("echo", number) == number
    assert await talk.ask("nobody hears this", 1) is None
    talk.answer = lambda *args: (*args, "answered")
    assert await talk.ask("ask", "why", [1]) == ("why", [1], "answered")
    assert await talk.ask("ask", BYTES) == (BYTES, "answered")


async def ack_timeout(talk):
    try:
        await talk.ask("silent", timeout=0.2)
    except socketio.exceptions.TimeoutError:
        pass
    else:
        raise AssertionError("nobody has answered")
    assert await talk.ask("echo", "soon") == "soon"


async def unanswered(talk):
    talk.answer, talk.delay = lambda *args: "too late", 0.4
    assert await talk.ask("ask-briefly", "why") == "no answer"
    talk.delay = 0
    assert await talk.ask("ask", "again") == "too late"
    assert await talk.ask("echo", "still here") == "still here"


async def text(talk):
    texts = ["", "é", "\u2028\u2029", "a\x1eb", "\x00\x1f\x7f", "🦀 astral 👩‍👩‍👧 𝄞", '\\n \\\\ " \' / </script>']
    for words in texts:
        await comes_back(talk, words, {words: words})
    await comes_back(talk, "".join(texts) * 500)


async def names(talk):
    for name in ("__proto__", "constructor", "hasOwnProperty", "", "é\u2028🦀", "n" * 10_000):
        assert await talk.ask(name, "by name") == "by name"
        assert await talk.next(name) == ("by name",)
    odd = {"__proto__": [1], "constructor": None, "": {"toString": 2}}
    assert await talk.ask("echo", odd) == odd


async def values(talk):
    await comes_back(talk, *numbers(200))
    await comes_back(talk, None, True, False, [], {}, [None], {"a": {"b": [[], {}]}})
    # Integers have no bounds here, but those of msgpack.
    large = [2**64 - 1, -(2**63)] if MSGPACK else [2**64, 10**40]
    await comes_back(talk, 0, -1, 1.5e-7, 5e-324, 1.7976931348623157e308, 2**53 - 1, -(2**53), *large)
    nested = "deep"
    for _ in range(100):
        nested = [nested]
    await comes_back(talk, nested)
    await comes_back(talk)


def sized(length, transport):
    """The argument of an event `size` whose message is so many bytes long."""
    if MSGPACK:
        # A polling request holds it as base64, of which the server takes a 256th more.
        message = length if transport == "websocket" else (LIMIT + LIMIT // 256 - 1) // 4 * 3 + length - LIMIT
        return "x" * (message - len(msgpack(b"")) - 4)
    return "x" * (length - len('42["size",""]'))


def msgpack(data):
    return socketio.msgpack_packet.MsgPackPacket(socketio.packet.EVENT, data=["size", data.decode()], namespace="/").encode()


async def limit(talk):
    words = sized(LIMIT, talk.client.transport())
    await talk.emit("size", words)
    assert await talk.next("size") == (len(words),)
    most = len(words) if MSGPACK else LIMIT
    data = bytes(most if talk.client.transport() == "websocket" else 740_000)
    await talk.emit("size", data)
    assert await talk.next("size") == (len(data),)


async def over_the_limit():
    for transport in ("websocket", "polling"):
        # It notices a request that was refused only when its poll is answered.
        talk = await join([transport], path="lively")
        await talk.emit("size", sized(LIMIT + 1, transport))
        assert (await talk.next("disconnect"))[0] in ("transport error", "server disconnect")


async def volatile():
    for transports in TRANSPORTS:
        talk, other = await join(transports), await join(transports)
        room = f"volatile {talk.client.get_sid()}"
        await other.ask("join", room)
        heard = []
        # A polling client between two polls gets none.
        while not heard:
            await talk.emit("volatile", room, 1000)
            while (event := await other.heard.get())[0] != "end":
                heard += event[1]
            # Each event has a thread of its own in the client on threads, and may come behind the end.
            assert len(heard) == len(set(heard)), "none twice"
        await talk.disconnect()
        await other.disconnect()


FEATURES = {
    **{
        feature.__name__: lambda feature=feature: each_transport(feature)
        for feature in (binary, acks, ack_timeout, unanswered, text, names, values, limit)
    },
    "over_the_limit": over_the_limit,
    "volatile": volatile,
}
