"""The Python client python-socketio: `main.py async|sync|msgpack URL FEATURE` tries one feature of the matrix and fails if anything
is not as with the official server."""

import asyncio
import sys

import messages
import sockets
import transports

FEATURE = sys.argv[3]
FOUND = {**transports.FEATURES, **messages.FEATURES, **sockets.FEATURES}

asyncio.run(FOUND[FEATURE]())
