"""Tasks of an event loop, by asyncio: python3 loop.py PORT."""

import asyncio
import sys

from conversation import HEAD_MAX, answer, respond


async def converse(reader, writer):
    try:
        writer.write(respond(await reader.readuntil(b"\r\n\r\n")))
        await writer.drain()
    except asyncio.LimitOverrunError:
        writer.write(answer("431 Request Header Fields Too Large"))
    except (asyncio.IncompleteReadError, OSError):
        pass  # The client is gone.
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(
        converse, "127.0.0.1", int(sys.argv[1]), limit=HEAD_MAX, backlog=128
    )
    async with server:
        await server.serve_forever()


asyncio.run(main())
