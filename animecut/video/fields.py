"""Interlaced frames -> whole pictures: fields that belong together are matched, the rest is deinterlaced.

A frame of interlaced video holds two moments, in its even and its odd lines. Film and animation on video have pictures
spread over such fields (telecine, 2:3 pulldown); matching finds the two that belong together, so that held frames are
equal again. What is combed after that was filmed in fields. Door of FFmpeg's filters `fieldmatch` and `bwdif`.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction

import av
import numpy as np
from av import VideoFrame
from av.filter import Graph
from numpy.typing import NDArray

COLUMNS = 80  # of the luma that are looked at for combs, about
TOOTH = 20  # levels by which a combed line differs from both its neighbours, and from the picture before
ALIKE = 12  # levels by which these neighbours may differ
COMBED = 0.002  # share of combed pixels from which a frame is interlaced though it does not say so
MATCHABLE = ("gray", "yuv420p", "yuv422p", "yuv444p", "yuvj420p", "yuvj422p", "yuvj444p")  # for `fieldmatch`

Luma = NDArray[np.int16]


def deinterlaced(frames: Iterable[tuple[int, VideoFrame]], tick: Fraction) -> Iterator[tuple[int, VideoFrame]]:
    """The same frames with their ticks, progressive from the first that says it is interlaced, or is combed."""
    graph: Graph | None = None
    shape: tuple[str, int, int] | None = None
    before: Luma | None = None
    order = ""
    for stamp, frame in frames:
        if not order:
            luma = None if frame.interlaced_frame else _luma(frame)
            order = "auto" if frame.interlaced_frame else _field_order(before, luma)
            before = luma
        if not order:
            yield stamp, frame
            continue
        if graph and shape != (frame.format.name, frame.width, frame.height):
            yield from _pulled(graph, tick, end=True)
            graph = None
        graph = graph or _graph(frame, tick, order)
        shape = frame.format.name, frame.width, frame.height
        frame.pts, frame.time_base = stamp, tick
        graph.vpush(frame)
        yield from _pulled(graph, tick)
    if graph:
        yield from _pulled(graph, tick, end=True)


def _graph(frame: VideoFrame, tick: Fraction, order: str) -> Graph:
    graph = Graph()
    nodes = [graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=tick)]
    if order != "auto":
        nodes.append(graph.add("setfield", mode=order))
    if frame.format.name in MATCHABLE:
        nodes.append(graph.add("fieldmatch", mode="pcn", combmatch="full"))
        nodes.append(graph.add("bwdif", mode="send_frame", deint="interlaced"))
    else:
        nodes.append(graph.add("bwdif", mode="send_frame", deint="all"))
    nodes.append(graph.add("buffersink"))
    graph.link_nodes(*nodes).configure()
    return graph


def _pulled(graph: Graph, tick: Fraction, *, end: bool = False) -> Iterator[tuple[int, VideoFrame]]:
    if end:
        graph.vpush(None)
    while True:
        try:
            frame = graph.vpull()
        except (av.BlockingIOError, av.EOFError):
            return
        if frame.pts is not None and frame.time_base:
            yield round(frame.pts * frame.time_base / tick), frame


def _luma(frame: VideoFrame) -> Luma | None:
    """(H, columns) int16, 0..255, of every so many columns; None where brightness has no plane of its own."""
    layout = frame.format
    if layout.is_rgb or layout.has_palette or not layout.is_planar:
        return None
    plane, depth = frame.planes[0], layout.components[0].bits
    kind = np.dtype(np.uint8 if depth == 8 else np.uint16)
    rows = np.frombuffer(memoryview(plane), kind).reshape(plane.height, -1)[:, : plane.width]
    return np.asarray((rows[:, :: max(1, plane.width // COLUMNS)] >> (depth - 8)), np.int16)


def _field_order(before: Luma | None, luma: Luma | None) -> str:
    """`tff` or `bff`, whichever field of a combed frame is nearer in time to the frame before; empty where none is."""
    if before is None or luma is None or before.shape != luma.shape:
        return ""
    moved = np.abs(luma - before) > TOOTH
    if moved.mean() < COMBED or _combed(luma, moved) < COMBED:
        return ""
    woven = []
    for first in (0, 1):  # its first field together with the other one of the frame before
        picture = before.copy()
        picture[first::2] = luma[first::2]
        woven.append(_combed(picture, np.ones_like(picture, bool)))
    return "tff" if woven[0] <= woven[1] else "bff"


def _combed(luma: Luma, where: NDArray[np.bool_]) -> float:
    """Share of pixels that lie between two alike ones, above and below, and differ from both."""
    up, here, down = luma[:-2], luma[1:-1], luma[2:]
    teeth = (np.abs(up - down) < ALIKE) & (np.minimum(np.abs(here - up), np.abs(here - down)) > TOOTH) & where[1:-1]
    return float(teeth.mean()) if teeth.size else 0.0
