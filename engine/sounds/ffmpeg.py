"""Audio files in and out, and filters between them, by FFmpeg's libraries. PyAV brings them along: an admin needs no
program installed, and it reads whatever a studio or a telephone sends."""

from __future__ import annotations

import io
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Final, TypeAlias, cast

import av
import av.error
import av.filter

RATE: Final = 16_000
# One channel, RATE a second, full scale 1.0: what the widest of a trunk's codecs can carry.
Samples: TypeAlias = "array[float]"

# By file ending, what Asterisk plays: muxer, encoder, samples a second (format_pcm.c, format_g722.c, format_wav.c).
CODECS: Final[Mapping[str, tuple[str, str, int]]] = {
    "alaw": ("alaw", "pcm_alaw", 8000),
    "ulaw": ("mulaw", "pcm_mulaw", 8000),
    "g722": ("g722", "g722", 16_000),
    "wav": ("wav", "pcm_s16le", 8000),
}
# Files without a header: what they are is in their name only.
_HEADERLESS: Final = {".alaw": "alaw", ".ulaw": "mulaw", ".g722": "g722", ".sln": "s16le"}
_RESAMPLE: Final = "filter_size=64:cutoff=0.95"
# Share of samples that stand still at the peak; below it only a click or two is cut off.
_FLAT: Final = 0.003


class UnusableAudio(Exception):  # noqa: N818 - said to the admin who gave the file
    """A file that cannot become a prompt: why not, and what to do."""


@dataclass(frozen=True, slots=True)
class Sound:
    """An audio file as samples."""

    samples: Samples
    flat: bool
    """Its peaks are cut off at one level, wherever that is: it was clipped when it was recorded."""


def decode(source: Path | bytes, longest_s: float) -> Sound:
    """The first audio stream of a file, or of its content. Raises UnusableAudio when there is none, and as soon as
    it is longer than `longest_s` seconds, however long it would go on."""
    samples: Samples = array("f")
    measured: Mapping[str, str] = {}
    try:
        for frame in _mono(source):
            measured = frame.metadata or measured
            samples.extend(samples_of(frame))
            if len(samples) > longest_s * RATE:
                raise UnusableAudio(f"is longer than {longest_s:.0f} s; a prompt says one thing, make several of it")
    except (av.error.FFmpegError, OSError) as error:
        raise UnusableAudio(f"cannot be read as audio ({error.strerror})") from error

    def overall(what: str) -> float:
        return float(measured.get(f"lavfi.astats.Overall.{what}", 0))

    at_peak = overall("Peak_count") / max(1.0, overall("Number_of_samples"))
    return Sound(samples, flat=overall("Flat_factor") > 3 and at_peak > _FLAT)


def encode(samples: Samples, codec: str) -> bytes:
    """The content of a file that Asterisk plays; `codec` is one of CODECS."""
    muxer, encoder, rate = CODECS[codec]
    written = io.BytesIO()
    # bitexact: the same sound is the same file, without the name of the program that wrote it.
    with av.open(written, "w", format=muxer, options={"fflags": "+bitexact"}) as container:
        stream = cast(av.AudioStream, container.add_stream(encoder, rate=rate, layout="mono", format="s16"))
        for frame in filtered(samples, ("aresample", f"{rate}:osf=s16:{_RESAMPLE}")):
            frame.pts = None
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return written.getvalue()


def filtered(samples: Samples, *filters: tuple[str, str]) -> Iterator[av.AudioFrame]:
    """What FFmpeg's audio filters, given as (name, settings), make of `samples`."""
    frame = av.AudioFrame(format="flt", layout="mono", samples=len(samples))
    frame.sample_rate = RATE
    plane = frame.planes[0]
    plane.update(samples.tobytes().ljust(plane.buffer_size, b"\0"))
    return _through(iter([frame]), *filters)


def samples_of(frame: av.AudioFrame) -> Samples:
    """A frame of mono floats as samples."""
    samples: Samples = array("f")
    samples.frombytes(bytes(frame.planes[0])[: samples.itemsize * frame.samples])
    return samples


def _mono(source: Path | bytes) -> Iterator[av.AudioFrame]:
    muxer = _HEADERLESS.get(source.suffix) if isinstance(source, Path) else None
    options = {"sample_rate": "8000"} if muxer and muxer != "g722" else {}
    file = str(source) if isinstance(source, Path) else io.BytesIO(source)
    with av.open(file, "r", format=muxer, options=options) as container:
        if not container.streams.audio:
            raise UnusableAudio("has no audio in it")
        # The channels' mean, not their sum: rematrix_maxval. astats counts peaks where the recording was made.
        yield from _through(
            container.decode(container.streams.audio[0]),
            ("astats", "metadata=1"),
            ("aresample", f"{RATE}:osf=flt:ochl=mono:rematrix_maxval=1:{_RESAMPLE}"),
        )


def _through(frames: Iterator[av.AudioFrame], *filters: tuple[str, str]) -> Iterator[av.AudioFrame]:
    first = next(frames, None)
    if first is None:
        return
    graph = av.filter.Graph()
    rate = first.sample_rate
    last = graph.add_abuffer(
        sample_rate=rate, format=first.format.name, layout=first.layout.name, time_base=Fraction(1, rate)
    )
    for name, settings in (*filters, ("abuffersink", "")):
        following = graph.add(name, settings)
        last.link_to(following)
        last = following
    graph.configure()
    for frame in chain([first], frames, [None]):
        if frame is not None:
            frame.pts = None
        graph.push(frame)
        yield from _ready(graph)


def _ready(graph: av.filter.Graph) -> Iterator[av.AudioFrame]:
    while True:
        try:
            yield cast(av.AudioFrame, graph.pull())
        except (av.error.BlockingIOError, av.error.EOFError):
            return


def loudness_lufs(samples: Samples) -> float:
    """Integrated loudness by EBU R128, in LUFS."""
    measured = "-70"
    for frame in filtered(samples, ("ebur128", "metadata=1")):
        measured = frame.metadata.get("lavfi.r128.I", measured)
    return float(measured)
