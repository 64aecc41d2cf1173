"""An answer of a kernel is found although nobody announced it (see `kernel._look_again`)."""

import asyncio
from collections.abc import Iterator

import pytest
import zmq
import zmq.asyncio
from jupyter_client.channels import AsyncZMQSocketChannel
from jupyter_client.session import Session
from trial_runs import wait_until

from wardbook.engines.kernel import _look_again


@pytest.fixture
def session() -> Session:
    return Session(key=b"")


@pytest.fixture
def ends() -> Iterator[tuple[zmq.asyncio.Socket, zmq.Socket[bytes]]]:
    """Return a client's socket, as jupyter_client has it, and a kernel's."""
    with zmq.Context() as context:
        kernel = context.socket(zmq.PAIR)
        port = kernel.bind_to_random_port("tcp://127.0.0.1")
        with zmq.asyncio.Context(context).socket(zmq.PAIR) as client, kernel:
            client.connect(f"tcp://127.0.0.1:{port}")
            yield client, kernel


async def ask(
    session: Session,
    ends: tuple[zmq.asyncio.Socket, "zmq.Socket[bytes]"],
    *,
    look_again: bool,
) -> str:
    """Wait for an answer that is looked at past asyncio as it comes, as by sending just then."""
    client, kernel = ends
    channel = AsyncZMQSocketChannel(client, session)
    get_message = _look_again(channel.get_msg) if look_again else channel.get_msg
    waiting = asyncio.ensure_future(get_message())
    await asyncio.sleep(0)
    session.send(kernel, "execute_reply")
    past_asyncio = zmq.Socket.shadow(client.underlying)
    wait_until(lambda: bool(past_asyncio.getsockopt(zmq.EVENTS) & zmq.POLLIN))
    message = await asyncio.wait_for(waiting, 2)
    return str(message["msg_type"])


def test_an_answer_that_nobody_announced_is_found(
    session: Session, ends: tuple[zmq.asyncio.Socket, "zmq.Socket[bytes]"]
) -> None:
    assert asyncio.run(ask(session, ends, look_again=True)) == "execute_reply"


def test_without_looking_again_it_is_lost(
    session: Session, ends: tuple[zmq.asyncio.Socket, "zmq.Socket[bytes]"]
) -> None:
    with pytest.raises(TimeoutError):
        asyncio.run(ask(session, ends, look_again=False))
