"""Packets of a video get times that go on, whatever their container wrote, and begin where they can be decoded."""

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import Protocol, TypeVar

JUMP_SECONDS = 10.0  # ahead of every stream, in containers that promise no continuous time: no pause, as FFmpeg has it
BACK_SECONDS = 0.1  # back: another recording follows, as FFmpeg has it
REORDERED_SECONDS = 1.0  # back, where joined files leave libavformat without times of decoding
LONGEST_GOP = 1000  # packets: without a key frame in so many, none is marked in the file


class Packet(Protocol):
    """What is asked of PyAV's packets; times are ticks of time_base seconds."""

    pts: int | None
    dts: int | None

    @property
    def duration(self) -> int | None:
        """In ticks."""

    @property
    def time_base(self) -> Fraction:
        """Seconds of a tick."""

    @property
    def stream(self) -> object:
        """Which of the file's streams it belongs to."""

    @property
    def is_keyframe(self) -> bool:
        """Whether it can be decoded without any other."""


AnyPacket = TypeVar("AnyPacket", bound=Packet)


def join_times(packets: Iterable[AnyPacket], stream: object, *, may_jump: bool) -> Iterator[AnyPacket]:
    """The same packets; where time goes back, the stream's go on after the picture that ends last.

    may_jump: the container has broadcast time (ISO/IEC 13818-1), in which a leap of all streams is no pause either.
    """
    offset = end = missing = 0  # ticks
    last: float | None = None  # seconds at which the stream was decoded last
    longest = 0.0  # seconds from decoding to showing
    reach = 0.0  # seconds that any stream has come to without a leap
    for packet in packets:
        now = None if packet.dts is None else float(packet.dts * packet.time_base)
        if packet.stream is not stream:
            reach = now if now is not None and reach < now <= reach + JUMP_SECONDS else reach
            yield packet
            continue
        wait = None if packet.pts is None or now is None else float(packet.pts * packet.time_base) - now
        step = 0.0 if now is None or last is None else max(0.0, now - last)
        if wait is not None and last is not None and wait > longest + JUMP_SECONDS + JUMP_SECONDS * step:
            # The next recording's, by error: a parser gave it to the last packet of this one.
            packet.pts = None
            missing += packet.duration or 0
        elif wait is not None:
            longest = max(wait, longest)
        if now is not None:
            leaps = may_jump and now > reach + JUMP_SECONDS
            back = BACK_SECONDS if may_jump or packet.is_keyframe else REORDERED_SECONDS
            if last is not None and (now < last - back or leaps):
                offset, missing, reach = end + missing - (_stamp(packet) or 0), 0, now
            last, reach = now, now if last is None else max(reach, now)
        if offset:
            packet.pts = None if packet.pts is None else packet.pts + offset
            packet.dts = None if packet.dts is None else packet.dts + offset
        end = max(end, (_stamp(packet) or 0) + (packet.duration or 0))
        yield packet


def _stamp(packet: Packet) -> int | None:
    return packet.dts if packet.pts is None else packet.pts


def from_key_frame(
    packets: Iterable[AnyPacket | None], wanted: int | None, tell: Callable[[str], None] | None
) -> Iterator[AnyPacket | None]:
    """The packets from the last key frame that shows by the tick `wanted`, or else from the first key frame.

    What comes before the first refers to pictures that were not read; `tell` hears of it. Without `tell`, reading
    began anywhere; else all packets come where no key frame is marked, as in some containers.
    """
    held: list[AnyPacket | None] = []
    begun, skipped = False, 0
    packets = iter(packets)
    for packet in packets:
        if packet is not None and packet.is_keyframe:
            stamp = _stamp(packet)
            if not begun or (wanted is not None and stamp is not None and stamp <= wanted):
                skipped = skipped if begun else len(held)
                held, begun = [], True
        if begun or tell:
            held.append(packet)
        past = wanted is None or packet is None or (packet.dts is not None and packet.dts > wanted)
        if (begun and past) or len(held) > LONGEST_GOP:
            break
    if begun and skipped and tell:
        tell(f"begins between two key frames; skipped {skipped} pictures that cannot be decoded")
    yield from held
    yield from packets
