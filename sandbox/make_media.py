"""Draws the sandbox's photos and films its videos: `python -m sandbox.make_media`.

Needs Pillow and an `ffmpeg` with libx264; what it makes is committed, so nobody else needs them.
"""

import json
import math
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

HERE = Path(__file__).parent / "media"
PHOTO = (1080, 1920)
VIDEO = (720, 1280)
POSTER = (640, 1136)
AVATAR = (150, 150)
FPS = 24
# sky above, sky at the horizon, sun, far ridge, near ridge
PALETTES = (
    ("#1b2a52", "#f2a65a", "#ffe3a3", "#7a4b6b", "#23193b"),
    ("#2f80c2", "#cfe8f5", "#fff7d6", "#6fa3a8", "#1f4a4d"),
    ("#3a1c4a", "#e4576e", "#ffc08a", "#8a3560", "#2a1233"),
    ("#0d2f36", "#8fd3b6", "#f4ffd9", "#3d8a77", "#0f3b35"),
    ("#5b6ea8", "#f7d6e0", "#ffffff", "#9a86b0", "#463a68"),
    ("#7a3b12", "#f6c667", "#fff1c1", "#b5702e", "#4a2410"),
)
SECONDS = (15.0, 15.0, 5.0, 7.5)  # of the videos
QUALITY = 86


def scene(number: int, size: tuple[int, int], moment: float = 0.0) -> Image.Image:
    """Paint landscape `number`; `moment`, 0 to 1, lets the sun climb and the ridges glide by."""
    high, low, sun, far, near = PALETTES[number % len(PALETTES)]
    width, height = size
    sky = Image.linear_gradient("L").resize(size)
    image = Image.composite(Image.new("RGB", size, low), Image.new("RGB", size, high), sky)
    draw = ImageDraw.Draw(image)
    radius = width * 0.11
    x = width * (0.3 + 0.4 * ((number * 0.37) % 1))
    y = height * (0.55 - 0.22 * moment)
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=sun)
    for depth in range(5):
        shade = Image.blend(
            Image.new("RGB", (1, 1), far), Image.new("RGB", (1, 1), near), depth / 4
        ).getpixel((0, 0))
        draw.polygon(_ridge(number, depth, size, moment), fill=shade)
    return image


def _ridge(
    number: int, depth: int, size: tuple[int, int], moment: float
) -> list[tuple[float, float]]:
    width, height = size
    rng = random.Random(f"{number}/{depth}")
    waves = [
        (rng.uniform(0.6, 1.0) / k, k * rng.uniform(0.7, 1.4), rng.uniform(0, 6))
        for k in (1, 2, 4, 7)
    ]
    base, swing = 0.52 + depth * 0.1, 0.05 - depth * 0.004
    glide = moment * (depth + 1) * 0.5
    top = [
        (
            step / 90 * width,
            height
            * (
                base
                - swing * sum(a * math.sin(f * (step / 90 * 4 + glide) + p) for a, f, p in waves)
            ),
        )
        for step in range(91)
    ]
    return [*top, (width, height), (0, height)]


def avatar(number: int) -> Image.Image:
    """Paint a round sun over the colours of palette `number`."""
    high, low, sun, *_ = PALETTES[number % len(PALETTES)]
    image = Image.new("RGB", AVATAR, high)
    draw = ImageDraw.Draw(image)
    draw.ellipse((18, 18, 132, 132), fill=low)
    draw.ellipse((48, 48, 102, 102), fill=sun)
    return image.filter(ImageFilter.GaussianBlur(0.6))


def film(number: int, seconds: float, target: Path) -> None:
    """Film landscape `number`: H.264 and a quiet tone in AAC, index first (faststart)."""
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        raise SystemExit("ffmpeg is needed to film the videos")
    frames = round(seconds * FPS)
    command = [
        *(ffmpeg, "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"),
        *("-s", f"{VIDEO[0]}x{VIDEO[1]}", "-r", str(FPS), "-i", "-"),
        *("-f", "lavfi", "-i", f"sine=frequency={180 + 40 * number}:duration={seconds}"),
        *("-af", "volume=0.05", "-c:a", "aac", "-b:a", "32k", "-ac", "1"),
        *("-c:v", "libx264", "-preset", "veryslow", "-crf", "30", "-profile:v", "main"),
        *("-pix_fmt", "yuv420p", "-g", str(FPS * 5), "-shortest", "-map_metadata", "-1"),
        *("-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"),
        *("-movflags", "+faststart", str(target)),
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:  # noqa: S603  our own words
        if process.stdin is None:
            raise SystemExit("ffmpeg takes no frames")
        for frame in range(frames):
            process.stdin.write(scene(number, VIDEO, frame / frames).tobytes())
        process.stdin.close()
        if process.wait() != 0:
            raise SystemExit("ffmpeg failed")


def main(folder: Path = HERE, film: Callable[[int, float, Path], None] = film) -> None:
    """Make all the files anew, and the index that the sandbox reads."""
    folder.mkdir(exist_ok=True)
    photos = []
    for number in range(len(PALETTES)):
        name = f"photo-{number}.jpg"
        scene(number, PHOTO, 0.35).save(folder / name, quality=QUALITY, optimize=True)
        photos.append(name)
        avatar(number).save(folder / f"avatar-{number}.jpg", quality=QUALITY)
    scene(2, POSTER, 0.2).save(folder / "photo.webp", quality=80)
    videos = []
    for number, seconds in enumerate(SECONDS):
        film(number, seconds, folder / f"video-{number}.mp4")
        scene(number, POSTER).save(folder / f"poster-{number}.jpg", quality=80, optimize=True)
        videos.append(
            {"file": f"video-{number}.mp4", "poster": f"poster-{number}.jpg", "seconds": seconds}
        )
    index = {"photos": photos, "videos": videos, "avatars": len(PALETTES), "webp": "photo.webp"}
    (folder / "index.json").write_text(json.dumps(index, indent=2) + "\n")


if __name__ == "__main__":
    main()
