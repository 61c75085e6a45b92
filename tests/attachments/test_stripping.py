"""Pictures on their way out: pixels stay, everything else goes, whatever the camera wrote."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from backend.attachments.stripping import Unstrippable, stripped

SECRET = "canary-4310"


def drawn(mode: str, size: tuple[int, int], seed: int) -> Image.Image:
    step = 37 + seed
    channels = {"L": 1, "RGB": 3, "RGBA": 4}[mode]
    data = bytes((n * step) % 256 for n in range(size[0] * size[1] * channels))
    return Image.frombytes(mode, size, data)


@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    mode=st.sampled_from(["L", "RGB"]),
    seed=st.integers(0, 200),
    progressive=st.booleans(),
    quality=st.integers(30, 95),
    turned=st.integers(1, 8),
)
def test_strip_any_jpeg_keeps_pixels_and_turn_and_nothing_else(
    size: tuple[int, int], mode: str, seed: int, progressive: bool, quality: int, turned: int
) -> None:
    exif, out = Image.Exif(), io.BytesIO()
    exif[0x010E], exif[0x0112] = SECRET, turned
    exif.get_ifd(0x8825)[29] = SECRET
    options = {"quality": quality, "progressive": progressive, "restart_marker_blocks": seed % 3}
    drawn(mode, size, seed).save(out, "JPEG", exif=exif, comment=SECRET, xmp=SECRET.encode(), **options)
    raw = out.getvalue() + b"a film behind the picture " + SECRET.encode()
    clean = stripped(raw, "image/jpeg")
    assert SECRET.encode() not in clean
    with Image.open(io.BytesIO(raw)) as before, Image.open(io.BytesIO(clean)) as after:
        assert before.tobytes() == after.tobytes()
        assert after.getexif().get(0x0112, 1) == turned
        assert set(after.getexif()) <= {0x0112}
    assert stripped(clean, "image/jpeg") == clean


@given(size=st.tuples(st.integers(1, 40), st.integers(1, 40)), mode=st.sampled_from(["L", "RGB", "RGBA"]))
def test_strip_any_png_keeps_pixels(size: tuple[int, int], mode: str) -> None:
    said, out, exif = PngImagePlugin.PngInfo(), io.BytesIO(), Image.Exif()
    said.add_text("Author", SECRET)
    said.add_itxt("Comment", SECRET, zip=False)
    exif[0x010E] = SECRET
    drawn(mode, size, 5).save(out, "PNG", pnginfo=said, exif=exif)
    raw = out.getvalue() + SECRET.encode()
    clean = stripped(raw, "image/png")
    assert SECRET.encode() not in clean
    with Image.open(io.BytesIO(raw)) as before, Image.open(io.BytesIO(clean)) as after:
        assert before.tobytes() == after.tobytes()
        assert before.mode == after.mode


@given(raw=st.binary(max_size=200), head=st.sampled_from([b"", b"\xff\xd8", b"\xff\xd8\xff\xe1", b"\x89PNG\r\n\x1a\n"]))
def test_strip_anything_else_says_so_and_never_lets_it_out(raw: bytes, head: bytes) -> None:
    for mime in ("image/jpeg", "image/png"):
        try:
            clean = stripped(head + raw, mime)
        except Unstrippable:
            continue
        assert len(clean) <= len(head + raw) + 40


def test_strip_cut_picture_is_refused() -> None:
    out = io.BytesIO()
    drawn("RGB", (40, 40), 1).save(out, "JPEG")
    with pytest.raises(Unstrippable):
        stripped(out.getvalue()[:-30], "image/jpeg")


def test_strip_leaves_scans_of_paper_as_they_are() -> None:
    assert stripped(b"%PDF-1.7 scan", "application/pdf") == b"%PDF-1.7 scan"
