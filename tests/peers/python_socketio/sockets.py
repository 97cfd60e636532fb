"""Namespaces, rooms, and who is let in."""

import os

import socketio
from talk import TRANSPORTS, Talk, join


async def refused(talk, *args, **options):
    try:
        await talk.connect(*args, **options)
    except socketio.exceptions.ConnectionError:
        return
    raise AssertionError("nobody is let in there")


async def refusal():
    for transports in TRANSPORTS:
        talk = Talk()
        await refused(talk, transports, namespaces=("/refused",))
        assert await talk.next("connect_error") == ({"message": "go away", "data": {"code": 7}},)
        await talk.disconnect()
        talk = Talk()
        await refused(talk, transports, namespaces=("/unknown",))
        assert await talk.next("connect_error") == ({"message": "Invalid namespace"},)
        await talk.disconnect()


async def auth():
    await refused(Talk(), namespaces=("/auth",), auth={"token": "wrong"})
    talk = await join(namespaces=("/auth",), auth={"token": "right", "words": "é\u2028🦀"})
    assert await talk.ask("echo", "in", namespace="/auth") == "in"
    await talk.disconnect()


async def namespaces():
    for transports in TRANSPORTS:
        talk = await join(transports, namespaces=("/", "/second"))
        assert talk.client.get_sid("/") != talk.client.get_sid("/second")
        assert await talk.ask("echo", b"\x01", namespace="/second") == b"\x01"
        assert await talk.ask("echo", "y") == "y"
        await talk.emit("kick", namespace="/second")
        assert await talk.next("disconnect") == ("server disconnect",)
        assert await talk.ask("echo", "z") == "z", "leaving one leaves the others alone"
        await talk.disconnect()


async def rooms():
    for transports in TRANSPORTS:
        speaker, member, stranger = [await join(transports) for _ in range(3)]
        room = f"room of {speaker.client.get_sid()}"
        for talk in (speaker, member):
            assert await talk.ask("join", room) == "joined"
        await speaker.emit("tell", room, {"words": "🦀"})
        assert await member.next("told") == ({"words": "🦀"},)
        assert await member.ask("leave", room) == "left"
        # Behind it: the server has read it before it hears the others.
        await speaker.emit("tell", room, "nobody hears this")
        await speaker.ask("echo", 1)
        for talk in (speaker, member, stranger):
            await talk.emit("bounce", "after all that was sent before")
            while (event := await talk.heard.get())[0] != "bounce":
                assert event[0] != "told", event
        for talk in (speaker, member, stranger):
            await talk.disconnect()


async def dynamic():
    for transports in TRANSPORTS:
        name = f"/of/{os.getpid()}-{transports[0]}-{len(transports)}-🦀"
        for _ in range(2):
            talk = await join(transports, namespaces=(name,))
            assert await talk.ask("echo", "here", namespace=name) == "here"
            await talk.disconnect()


async def survey():
    for transports in TRANSPORTS:
        asker, *others = [await join(transports) for _ in range(4)]
        room = f"survey {asker.client.get_sid()}"
        for index, talk in enumerate(others):
            assert await talk.ask("join", room) == "joined"
            talk.answer, talk.delay = (lambda index: lambda question: [question, index])(index), 0.5 if index == 2 else 0
        answers, silent = await asker.ask("survey", room, "why")
        assert sorted(answers) == [["why", 0], ["why", 1]] and silent == 1, (answers, silent)
        for talk in (asker, *others):
            await talk.disconnect()


async def broadcast():
    for transports in TRANSPORTS:
        name = f"/of/broadcast-{os.getpid()}-{transports[0]}-{len(transports)}"
        speaker, other = [await join(transports, namespaces=(name,)) for _ in range(2)]
        await speaker.emit("shout", b"to all others", namespace=name)
        assert await other.next("shout") == (b"to all others",)
        await speaker.emit("bounce", "after all that was sent before", namespace=name)
        while (event := await speaker.heard.get())[0] != "bounce":
            assert event[0] != "shout", "who says it does not hear it"
        await speaker.disconnect()
        await other.disconnect()


FEATURES = {
    "refusal": refusal,
    "auth": auth,
    "namespaces": namespaces,
    "rooms": rooms,
    "dynamic": dynamic,
    "survey": survey,
    "broadcast": broadcast,
}
