"""What all features are written with. Owns the one place that knows how the client on asyncio and the one on threads differ: here
both are awaited."""

import asyncio
import sys
import time

import socketio

KIND, URL = sys.argv[1], sys.argv[2]
ASYNC = KIND != "sync"
# With another form of packets, for which the server has paths of its own.
MSGPACK = KIND == "msgpack"

# Each transport on its own, and the change from one to the other.
TRANSPORTS = (["websocket"], ["polling"], ["polling", "websocket"])


def numbers(count):
    return list(range(1, count + 1))


class Talk:
    """A client whose events are heard one after the other, in the order in which they came."""

    def __init__(self, **options):
        options = {"reconnection": False, "reconnection_delay": 0.05, "randomization_factor": 0, **options}
        if MSGPACK:
            options["serializer"] = "msgpack"
        self.client = (socketio.AsyncClient if ASYNC else socketio.Client)(**options)
        self.loop = asyncio.get_running_loop()
        self.heard = asyncio.Queue()
        # What the server is answered when it asks, and after how many seconds.
        self.answer, self.delay = lambda *args: None, 0

    async def connect(self, transports=None, namespaces=("/",), path="socket.io", **options):
        # Threads hand events on in any order: one after the other only here.
        for namespace in namespaces:
            for event in ("connect", "connect_error", "disconnect"):
                self.client.on(event, self._hearer(event), namespace)
            self.client.on("*", self._any_async if ASYNC else self._any, namespace)
        if MSGPACK:
            path = f"msgpack/{path}"
        await self._do(
            self.client.connect, URL, transports=transports, namespaces=list(namespaces), socketio_path=path, **options
        )
        return self

    def _hearer(self, event):
        return lambda *args: self._hear(event, *args)

    def _any(self, event, *args):
        self._hear(event, *args)
        if event != "question":
            return None
        # Each event has a thread of its own.
        time.sleep(self.delay)
        return self.answer(*args)

    async def _any_async(self, event, *args):
        self._hear(event, *args)
        if event != "question":
            return None
        await asyncio.sleep(self.delay)
        return self.answer(*args)

    def _hear(self, event, *args):
        self.loop.call_soon_threadsafe(self.heard.put_nowait, (event, args))

    async def next(self, *events):
        """The arguments of the next of these events; others are passed over."""
        while True:
            event, args = await self.heard.get()
            if event in events:
                return args

    async def emit(self, event, *args, namespace=None):
        await self._do(self.client.emit, event, args, namespace)

    async def ask(self, event, *args, **options):
        return await self._do(self.client.call, event, args, **options)

    async def disconnect(self):
        # With threads: told to go while a request is on its way, it says no goodbye, and waits for the next heartbeat.
        while not ASYNC and self.client.connected and self.client.eio.queue.unfinished_tasks:
            await asyncio.sleep(0.001)
        await self._do(self.client.disconnect)

    async def _do(self, function, *args, **options):
        if ASYNC:
            return await function(*args, **options)
        return await asyncio.to_thread(function, *args, **options)


async def join(transports=None, **options):
    return await Talk().connect(transports, **options)


async def each_transport(check):
    for transports in TRANSPORTS:
        talk = await join(transports)
        await check(talk)
        await talk.disconnect()


async def server(order):
    """Has the test stop, start, kill, freeze or thaw the server."""
    print(f"server {order}", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
