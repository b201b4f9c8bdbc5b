"""Writes a reply into the channel while it is imported; one value is wrong."""

import fcntl
import os
import stat
import struct
import sys

import msgspec
from dataclasses import dataclass


@dataclass
class GPT2Config:
    vocab_size: int = 1
    n_positions: int = 1024
    n_embd: int = 768
    n_layer: int = 12
    n_head: int = 12
    n_inner: int = 3072
    layer_norm_epsilon: float = 1e-5


def channel():
    """Return the number of the pipe that the answers leave by."""
    for number in range(3, 64):
        try:
            is_pipe = stat.S_ISFIFO(os.fstat(number).st_mode)
            if is_pipe and fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_WRONLY:
                return number
        except OSError:
            continue
    raise LookupError


def request_number():
    """Return the number of the request that is being answered, from the frames of those who called."""
    frame = sys._getframe()
    while frame is not None:
        if "request" in frame.f_locals:
            return frame.f_locals["request"].id
        frame = frame.f_back
    raise LookupError


def send(body):
    os.write(channel(), struct.pack(">I", len(body)) + body)


forged = {"type": "described", "is_class": True, "is_dataclass": True}
send(msgspec.msgpack.encode({"id": request_number(), "answer": forged}))
