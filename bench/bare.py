"""
The consumer that monitors nothing: `websockets`, msgspec's typed decoding, the newest mark of
each symbol kept.
"""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING

import msgspec
from websockets.asyncio.client import connect

if TYPE_CHECKING:
    from meter import Meter
    from recording import Recording


class _BinanceMark(msgspec.Struct):
    e: str = ""
    E: int = 0
    s: str = ""
    p: float = 0.0


class _BybitTicker(msgspec.Struct):
    symbol: str = ""
    markPrice: float | None = None  # noqa: N815 - the wire's name


class _BybitFrame(msgspec.Struct):
    topic: str = ""
    ts: int = 0
    data: _BybitTicker | None = None


class _OkxMark(msgspec.Struct):
    instId: str = ""  # noqa: N815 - the wire's name
    markPx: float = 0.0  # noqa: N815 - the wire's name
    ts: int = 0


class _OkxFrame(msgspec.Struct):
    data: list[_OkxMark] = []


_binance = msgspec.json.Decoder(_BinanceMark, strict=False)
_bybit = msgspec.json.Decoder(_BybitFrame, strict=False)
_okx = msgspec.json.Decoder(_OkxFrame, strict=False)


def _bare_binance(text: bytes, marks: dict[str, float]) -> None:
    frame = _binance.decode(text)
    if frame.e == "markPriceUpdate":
        marks[frame.s] = frame.p


def _bare_bybit(text: bytes, marks: dict[str, float]) -> None:
    frame = _bybit.decode(text)
    if frame.data is not None and frame.data.markPrice is not None:
        marks[frame.data.symbol] = frame.data.markPrice


def _bare_okx(text: bytes, marks: dict[str, float]) -> None:
    for mark in _okx.decode(text).data:
        marks[mark.instId] = mark.markPx


BARE = {"binance": _bare_binance, "bybit": _bare_bybit, "okx": _bare_okx}


async def bare(recordings: list[Recording], port: int, cadence: str, meter: Meter) -> None:
    async def listen(recording: Recording) -> None:
        read, marks = BARE[recording.exchange], {}
        address = f"ws://127.0.0.1:{port}/{recording.account}/{cadence}/"
        async with connect(address, compression=None) as socket:
            await socket.send("begin")
            while True:
                read(await socket.recv(decode=False), marks)
                meter.frame()

    listening = [asyncio.create_task(listen(recording)) for recording in recordings]
    gc.collect()
    gc.freeze()
    await meter.done.wait()
    for task in listening:
        task.cancel()
    await asyncio.gather(*listening, return_exceptions=True)
