#!/usr/bin/env python3
"""A task for each client on one event loop, in Python: `python_asyncio.py PORT`."""

import asyncio
import socket
import sys

import greeting


async def converse(reader, writer):
    """Answers requests until the client asks to close, leaves, or says nothing for too long."""
    try:
        while True:
            async with asyncio.timeout(greeting.DEADLINE_S):
                head = await reader.readuntil(b"\r\n\r\n")
            last = b"\r\nconnection: close" in head.lower()
            found = greeting.route(greeting.path_of(head))
            if found and found[0] == "wait":
                await asyncio.sleep(found[1] / 1000)
            writer.write(greeting.response(found and greeting.body(*found), last))
            await writer.drain()
            if last:
                return
    except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        pass  # One client's trouble affects no other client.
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(
        converse, "127.0.0.1", int(sys.argv[1]), backlog=greeting.BACKLOG, limit=greeting.HEAD_MAX, family=socket.AF_INET)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
