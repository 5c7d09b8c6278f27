"""What a file is that cannot be read, by its first bytes, and what to do about it."""

import zlib
from pathlib import Path

HEAD_BYTES = 4096
OTHERWISE = "is no video or image that can be read, or is cut off; fetch it again or convert it"
KINDS = (  # first bytes, at which place, and the words
    (b"\xff\x0a", 0, "is JPEG XL, which is not read; export it as PNG, or an animation as APNG or WebP"),
    (b"\0\0\0\x0cJXL ", 0, "is JPEG XL, which is not read; export it as PNG, or an animation as APNG or WebP"),
    (b"<!doctype html", 0, "is a web page, not the video on it; download the video itself"),
    (b"<html", 0, "is a web page, not the video on it; download the video itself"),
    (b"#EXTM3U", 0, "is a playlist, not a video; download the video itself"),
    (b"ffconcat", 0, "is a list of files for FFmpeg, not a video; name the files or their folder"),
    (b"<svg", 0, "is a drawing in SVG, not pixels; export it as PNG"),
    (b"8BPS", 0, "is a Photoshop document; export it as PNG"),
    (b"SIMPLE  =", 0, "is an astronomer's FITS file; export it as PNG"),
    (b"%PDF", 0, "is a PDF document; export the page as PNG"),
    (b"PK\x03\x04", 0, "is an archive (ZIP, Lottie, Krita, ...); unpack it, or export PNG, GIF or a video"),
    (b"Rar!", 0, "is a RAR archive; unpack it and name what is in it"),
    (b"7z\xbc\xaf\x27\x1c", 0, "is a 7z archive; unpack it and name what is in it"),
    (b"ustar", 257, "is a tar archive; unpack it and name what is in it"),
    (b"FWS", 0, "is a Flash animation; render it as a video first"),
    (b"CWS", 0, "is a Flash animation; render it as a video first"),
    (b"gimp xcf", 0, "is a GIMP picture; export it as PNG"),
    (b"v\x2f1\x01", 0, "is OpenEXR; export it as PNG"),
)
LOTTIE = "is a Lottie animation, vectors and no pixels; export it as GIF, APNG, WebP or WebM"
TELEGRAM = "is an animated Telegram sticker (.tgs), vectors and no pixels; export it as GIF, APNG, WebP or WebM"


def why_unreadable(path: Path) -> str:
    """In words, what the file is instead of a video or picture, and what to do; it exists and can be opened."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError:
        return OTHERWISE
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    for magic, place, words in KINDS:
        if head[place:].startswith(magic) or (place == 0 and start.lower().startswith(magic.lower())):
            return words
    if start.startswith(b"<?xml") and b"<svg" in head:
        return next(words for magic, _, words in KINDS if magic == b"<svg")
    if head.startswith(b"\x1f\x8b"):
        return TELEGRAM if _is_lottie(_inflated(head)) else "is packed by gzip; unpack it first"
    if _is_lottie(start):
        return LOTTIE
    return OTHERWISE


def _inflated(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=16 + zlib.MAX_WBITS).decompress(head, HEAD_BYTES)
    except zlib.error:
        return b""


def _is_lottie(text: bytes) -> bool:
    """Whether JSON begins as Bodymovin writes it: a version, a rate, and first and last frame."""
    return text.startswith(b"{") and sum(key in text for key in (b'"v"', b'"fr"', b'"ip"', b'"op"', b'"layers"')) >= 3
