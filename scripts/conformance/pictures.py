#!/usr/bin/env python3
"""Makes the reference pictures of Tests/PicturesTests/Goldens with Pillow (and numpy).

    python3 scripts/conformance/pictures.py [--seed 1] [--out Tests/PicturesTests/Goldens]

Other seeds make other sizes and pixels; to test against those:

    python3 scripts/conformance/pictures.py --seed 2 --out /tmp/goldens
    EVOKE_PICTURE_GOLDENS=/tmp/goldens swift test --filter PicturesTests

decode/NAME.png|jpg   a file to decode, beside decode/NAME.ppm, the pixels that it holds
resize/source.ppm     beside resize/FILTER-WxH.ppm, Pillow's Image.resize of it
tensor/pixels.ppm     beside tensor/values.f32, diffusers' float32 values of it, and
tensor/noise.f32      beside tensor/noise.ppm, the picture that diffusers makes of it
"""
import argparse
import io
import pathlib
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def write_ppm(path, rgb):
    height, width, _ = rgb.shape
    path.write_bytes(b"P6\n%d %d\n255\n" % (width, height) + rgb.astype(np.uint8).tobytes())


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def packed_rows(samples, depth):
    """Rows of a pass, each behind filter type 0; `samples` is [h, w, channels]."""
    rows = b""
    for row in samples:
        if depth == 16:
            data = row.astype(">u2").tobytes()
        elif depth == 8:
            data = row.astype(np.uint8).tobytes()
        else:
            bits = "".join(format(int(v), f"0{depth}b") for v in row.reshape(-1))
            bits += "0" * (-len(bits) % 8)
            data = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))
        rows += b"\0" + data
    return rows


def png(samples, colour_type, depth, interlaced, extra=b""):
    """A PNG file of any form; Pillow writes neither interlaced nor 16-bit colour ones."""
    height, width, _ = samples.shape
    if interlaced:
        parts = [samples[y::dy, x::dx] for x, y, dx, dy in ADAM7]
        rows = b"".join(packed_rows(part, depth) for part in parts if part.size)
    else:
        rows = packed_rows(samples, depth)
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def over_white(rgba, largest):
    colour, alpha = rgba[..., :3].astype(np.float64), rgba[..., 3:].astype(np.float64)
    return np.rint((colour * alpha + largest * (largest - alpha)) / largest)


def pillow_pixels(data):
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    if image.mode in ("CMYK", "L", "RGB") and "transparency" not in image.info:
        return np.asarray(image.convert("RGB"))
    return over_white(np.asarray(image.convert("RGBA")), 255)


def png_forms(random, out):
    for colour_type, channels, depths in [(0, 1, (1, 2, 4, 8, 16)), (2, 3, (8, 16)), (3, 1, (1, 2, 4, 8)),
                                          (4, 2, (8, 16)), (6, 4, (8, 16))]:
        for depth in depths:
            for interlaced in (False, True):
                width, height = int(random.integers(5, 16)), int(random.integers(5, 16))
                samples = random.integers(0, 2**depth, (height, width, channels))
                extra = b""
                if colour_type == 3:
                    palette = random.integers(0, 256, (2**depth, 3)).astype(np.uint8)
                    alpha = random.integers(0, 256, max(1, 2**depth // 2)).astype(np.uint8)
                    extra = chunk(b"PLTE", palette.tobytes()) + chunk(b"tRNS", alpha.tobytes())
                data = png(samples, colour_type, depth, interlaced, extra)
                if depth == 16:
                    # Pillow keeps the upper byte only; the exact value is v · 255 / 65535.
                    wide = np.zeros((height, width, 4))
                    wide[..., :3] = samples[..., :3] if channels >= 3 else samples[..., :1]
                    wide[..., 3] = samples[..., -1] if channels in (2, 4) else 65535
                    expected = np.floor((over_white(wide, 65535) * 255 + 32767) / 65535)
                else:
                    expected = pillow_pixels(data)
                name = f"png-{colour_type}-{depth}" + ("-interlaced" if interlaced else "")
                (out / f"{name}.png").write_bytes(data)
                write_ppm(out / f"{name}.ppm", expected)
    # One colour of grey and of RGB declared transparent.
    for colour_type, channels in ((0, 1), (2, 3)):
        samples = random.integers(0, 4, (9, 7, channels)) * 80
        extra = chunk(b"tRNS", struct.pack(f">{channels}H", *samples[4, 4]))
        data = png(samples, colour_type, 8, False, extra)
        (out / f"png-{colour_type}-transparent-colour.png").write_bytes(data)
        write_ppm(out / f"png-{colour_type}-transparent-colour.ppm", pillow_pixels(data))


def photograph(random, width, height):
    """Smooth colour with some noise, so that JPEG has something to do."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [128 + 100 * np.sin(x / a + y / b + c) for a, b, c in random.uniform(3, 9, (3, 3))]
    noise = random.normal(0, 8, (height, width, 3))
    return np.clip(np.stack(planes, -1) + noise, 0, 255).astype(np.uint8)


def jpeg_forms(random, out):
    def save(name, image, **options):
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", **options)
        (out / f"{name}.jpg").write_bytes(buffer.getvalue())
        write_ppm(out / f"{name}.ppm", pillow_pixels(buffer.getvalue()))

    image = Image.fromarray(photograph(random, 45, 31))
    save("jpeg-444", image, quality=90, subsampling=0)
    save("jpeg-422", image, quality=80, subsampling=1)
    save("jpeg-420", image, quality=75, subsampling=2)
    save("jpeg-progressive", image, quality=85, progressive=True)
    save("jpeg-restarts", image, quality=85, restart_marker_blocks=2)
    save("jpeg-grey", image.convert("L"), quality=85)
    save("jpeg-cmyk", image.convert("CMYK"), quality=90)
    small = Image.fromarray(photograph(random, 19, 10))
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x010F] = "a camera"
        exif[0x0112] = orientation
        save(f"jpeg-orientation-{orientation}", small, quality=90, subsampling=0, exif=exif)
    buffer = io.BytesIO()
    exif[0x0112] = 6
    small.save(buffer, "PNG", exif=exif)
    (out / "png-orientation-6.png").write_bytes(buffer.getvalue())
    write_ppm(out / "png-orientation-6.ppm", pillow_pixels(buffer.getvalue()))


def resizes(random, out):
    source = photograph(random, *random.integers(20, 60, 2))
    # Nothing across; much less height, which Pillow 13 resamples down first; anything.
    sizes = [(source.shape[1], 7), (source.shape[1] + 5, 2)]
    while len(sizes) < 6:
        size = tuple(int(v) for v in random.integers(2, 90, 2))
        sizes += [size] if size not in sizes else []
    write_ppm(out / "source.ppm", source)
    filters = dict(nearest=Image.NEAREST, box=Image.BOX, bilinear=Image.BILINEAR,
                   bicubic=Image.BICUBIC, lanczos=Image.LANCZOS)
    for name, value in filters.items():
        for size in sizes:
            resized = Image.fromarray(source).resize(size, value)
            write_ppm(out / f"{name}-{size[0]}x{size[1]}.ppm", np.asarray(resized))


def tensors(random, out):
    from diffusers.image_processor import VaeImageProcessor
    import torch

    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    pixels = np.stack([ramp, ramp[::-1], ramp.T], -1)
    write_ppm(out / "pixels.ppm", pixels)
    processor = VaeImageProcessor(vae_scale_factor=1)
    values = processor.preprocess(Image.fromarray(pixels))
    (out / "values.f32").write_bytes(values.numpy().astype("<f4").tobytes())
    # Half-way points and values beyond the range included.
    noise = random.uniform(-1.3, 1.3, (3, 12, 9)).astype(np.float32)
    noise[0] = ((random.integers(0, 255, (12, 9)) + 0.5) / 127.5 - 1).astype(np.float32)
    (out / "noise.f32").write_bytes(noise.astype("<f4").tobytes())
    picture = processor.postprocess(torch.from_numpy(noise)[None], output_type="pil")[0]
    write_ppm(out / "noise.ppm", np.asarray(picture))


if __name__ == "__main__":
    root = pathlib.Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=pathlib.Path, default=root / "Tests/PicturesTests/Goldens")
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    for folder, make in (("decode", lambda out: (png_forms(random, out), jpeg_forms(random, out))),
                         ("resize", lambda out: resizes(random, out)),
                         ("tensor", lambda out: tensors(random, out))):
        (options.out / folder).mkdir(parents=True, exist_ok=True)
        make(options.out / folder)
