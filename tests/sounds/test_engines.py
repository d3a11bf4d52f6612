"""The engines that speak a text: espeak-ng, any command, any HTTP endpoint. All of them for real."""

from __future__ import annotations

import asyncio
import io
import os
import shlex
import sys
import time
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import ValidationError

from engine.config.models import HotlineFile
from engine.sounds.audio import telephone
from engine.sounds.ffmpeg import RATE
from engine.sounds.tts import CannotSpeak, named
from engine.sounds.tts.command import Command
from engine.sounds.tts.espeak import Espeak
from engine.sounds.tts.http import Http
from engine.sounds.tts.kokoro import Kokoro

TEXT = 'It is "5 o\'clock"; $(reboot) & 您好\n'
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def a_wav() -> bytes:
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(b"\x00\x10\x00\xf0" * 4000)
    return written.getvalue()


@asynccontextmanager
async def endpoint(handler: Handler) -> AsyncIterator[str]:
    """The address of a server that answers every POST with `handler`."""
    application = web.Application()
    application.router.add_post("/speak", handler)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0]
        yield f"http://{host}:{port}/speak"
    finally:
        await runner.cleanup()


async def test_espeak_speaks_a_longer_text_for_longer() -> None:
    short = telephone(await Espeak().speak("Hello.", "en"))
    long = telephone(await Espeak().speak("Hello, and thank you very much for calling us today.", "en"))
    assert 0.4 * RATE < len(short) < len(long) / 2


async def test_espeak_speaks_slower_when_told_so() -> None:
    text = "Thank you for calling us today."
    fast, slow = [telephone(await Espeak(words_a_minute=pace).speak(text, "en")) for pace in (250, 120)]
    assert len(slow) > 1.5 * len(fast)


async def test_espeak_does_not_take_a_text_for_its_options() -> None:
    assert telephone(await Espeak().speak("--version", "en"))


def test_espeak_warns_that_its_mandarin_is_not_understood_and_not_of_its_english() -> None:
    assert "hardly understand" in (Espeak().warning("zh-CN") or "")
    assert Espeak().warning("en") is None


async def test_espeak_with_a_voice_that_there_is_none_of_says_so() -> None:
    with pytest.raises(CannotSpeak, match=r"failed with exit code \d+: .*nosuchvoice|nosuchvoice"):
        await Espeak(voice="nosuchvoice").speak("Hello.", "en")


async def test_a_command_gets_the_text_as_it_is_through_no_shell_and_gives_the_sound_back() -> None:
    echo = python("import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())")
    assert await Command(command=echo).speak(TEXT, "en") == TEXT.encode()


async def test_a_command_may_write_a_file_instead(tmp_path: Path) -> None:
    write = python("import sys; open(sys.argv[1], 'w').write(sys.stdin.read() + sys.argv[1])")
    said = (await Command(command=[*write, "{file}"]).speak("Hello. ", "en")).decode()
    assert said.startswith("Hello. /")
    assert not os.path.exists(said.removeprefix("Hello. "))  # noqa: ASYNC240, PTH110 - a moment


async def test_a_command_that_need_not_be_told_may_close_its_ears() -> None:
    deaf = python("import os, sys; os.close(0); sys.stdout.write('RIFF')")
    assert await Command(command=deaf).speak("x" * 1_000_000, "en") == b"RIFF"


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        (["/nowhere/piper"], "`/nowhere/piper` cannot be run: No such file or directory; install it"),
        (python("import sys; sys.exit('no such voice: xiaoyi')"), "exit code 1: no such voice: xiaoyi"),
        (["false"], "exit code 1: it said nothing"),
        (python(r"import sys; sys.exit('\x1b[2Jgone\x07')"), "exit code 1: [2Jgone"),
        (["true", "{file}"], "wrote no file in place of {file}"),
        (["cat", "/dev/zero"], "more than 32 MB"),
        (["dd", "if=/dev/zero", "of={file}", "bs=1M", "count=40"], "more than 32 MB"),
    ],
)
async def test_a_command_that_fails_says_which_and_why(command: list[str], complaint: str) -> None:
    with pytest.raises(CannotSpeak) as caught:
        await Command(command=command).speak("Hello.", "en")
    assert complaint in str(caught.value)


async def test_a_command_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    hang = ["sh", "-c", f"sleep 300 & echo $! >{shlex.quote(str(pid_file))}; wait"]
    begun = time.monotonic()
    with pytest.raises(CannotSpeak, match=r"took longer than 0\.5 s; raise `deadline`"):
        await Command(command=hang, deadline=0.5).speak("Hello.", "en")
    assert time.monotonic() - begun < 5
    child = int(pid_file.read_text())
    async with asyncio.timeout(5):
        while _runs(child):  # noqa: ASYNC110 - no event comes from a grandchild
            await asyncio.sleep(0.01)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


async def test_an_endpoint_is_posted_the_text_and_answers_with_the_sound() -> None:
    seen: list[object] = []

    async def speak(request: web.Request) -> web.StreamResponse:
        seen.append((await request.json(), request.headers.get("Authorization")))
        return web.Response(body=a_wav(), content_type="audio/wav")

    async with endpoint(speak) as url:
        assert await Http(url=url).speak(TEXT, "en") == a_wav()
    assert seen == [({"text": TEXT, "language": "en"}, None)]


async def test_an_endpoints_own_form_of_request_carries_the_text_and_the_secret(tmp_path: Path) -> None:
    secret = tmp_path / "tts.secret"
    secret.write_text("s3cret\n")
    seen: list[object] = []

    async def speak(request: web.Request) -> web.StreamResponse:
        seen.append((await request.json(), request.headers["Authorization"]))
        return web.Response(body=a_wav())

    body = {"input": "{text}", "options": [{"lang": "{language}", "rate": 1.1}], "model": "tts-{text}"}
    async with endpoint(speak) as url:
        await Http(url=url, body=body, secret_file=secret).speak('"}, {', "zh-CN")
    sent = {"input": '"}, {', "options": [{"lang": "zh-CN", "rate": 1.1}], "model": "tts-{text}"}
    assert seen == [(sent, "Bearer s3cret")]


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (web.HTTPBadGateway(text="no voice\nhere"), r"answered 502: 'no voice\\nhere'"),
        (web.HTTPFound("http://127.0.0.1:9/elsewhere"), "answered 302"),
    ],
)
async def test_any_other_answer_of_an_endpoint_is_told(answer: web.HTTPException, complaint: str) -> None:
    async def speak(request: web.Request) -> web.StreamResponse:
        raise answer

    async with endpoint(speak) as url:
        with pytest.raises(CannotSpeak, match=complaint):
            await Http(url=url).speak("Hello.", "en")


async def test_an_endpoint_that_never_ends_is_cut_off() -> None:
    async def speak(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        with_noise = os.urandom(1 << 20)
        try:
            while True:
                await answer.write(with_noise)
        except ConnectionError:
            return answer

    async with endpoint(speak) as url:
        with pytest.raises(CannotSpeak, match="more than 32 MB"):
            await Http(url=url).speak("Hello.", "en")


async def test_an_endpoint_that_says_nothing_is_given_up_at_the_deadline() -> None:
    async def speak(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(60)
        return web.Response()

    async with endpoint(speak) as url:
        with pytest.raises(CannotSpeak, match=r"did not answer within 0\.3 s"):
            await Http(url=url, deadline=0.3).speak("Hello.", "en")


async def test_secrets_in_an_address_are_neither_printed_nor_kept_and_still_tell_two_voices_apart() -> None:
    one, other = (Http(url=f"http://me:pa55@127.0.0.1:9/speak?key={key}") for key in ("k3y", "an0ther"))
    assert one.said_by("en").startswith("http://127.0.0.1:9/speak ")
    assert one.said_by("en") != other.said_by("en")
    with pytest.raises(CannotSpeak) as caught:
        await one.speak("Hello.", "en")
    for told in (str(caught.value), one.said_by("en")):
        assert "pa55" not in told
        assert "k3y" not in told


async def test_an_endpoint_that_is_not_there_and_a_secret_that_is_not_there() -> None:
    with pytest.raises(CannotSpeak, match=r"http://127\.0\.0\.1:9/ cannot be asked"):
        await Http(url="http://127.0.0.1:9/").speak("Hello.", "en")
    with pytest.raises(CannotSpeak, match=r"secret .* cannot be read"):
        await Http(url="http://127.0.0.1:9/", secret_file=Path("/nowhere")).speak("Hello.", "en")


@pytest.mark.parametrize(
    ("text", "language", "misread"), [("VIP客户", "zh-CN", "VIP"), ("请按1", "zh-CN", "1"), ("Press 1.", "en", "1")]
)
async def test_kokoro_refuses_what_it_would_misread_before_it_is_loaded(text: str, language: str, misread: str) -> None:
    with pytest.raises(CannotSpeak, match=f"would misread `{misread}`; write it otherwise, in words"):
        await Kokoro().speak(text, language)


@pytest.mark.parametrize(
    ("name", "voice"),
    [
        ("kokoro", Kokoro()),
        ("espeak-ng", Espeak()),
        ("command:piper --model 'my voice.onnx'", Command(command=["piper", "--model", "my voice.onnx"])),
        ("https://tts.example/speak", Http(url="https://tts.example/speak")),
    ],
)
def test_a_command_line_can_name_each_engine(name: str, voice: object) -> None:
    assert named(name) == voice


@pytest.mark.parametrize("name", ["", "tape", "command:", "command:'", "http:", "Kokoro"])
def test_a_command_line_that_names_none_is_told_which_there_are(name: str) -> None:
    with pytest.raises(CannotSpeak, match="there are kokoro, espeak-ng, command:PROGRAM and http://HOST/PATH"):
        named(name)


def test_hotline_yaml_names_an_engine_for_each_language() -> None:
    hotline = HotlineFile.model_validate(
        {
            "company": "Acme",
            "numbers": {"4008001234": {"flow": "main"}},
            "tts": {
                "zh-CN": {"engine": "kokoro", "voice": "zf_xiaobei", "speed": 0.9},
                "en": {"engine": "command", "command": ["piper"], "deadline": "10s"},
            },
        }
    )
    assert hotline.tts["zh-CN"].said_by("zh-CN") == "kokoro zf_xiaobei 0.9"
    assert hotline.tts["en"].said_by("en") == "piper"


@pytest.mark.parametrize(
    "spoken", [{"engine": "tape"}, {}, {"engine": "kokoro", "voice": "../x"}, {"engine": "http", "url": "ftp://x"}]
)
def test_hotline_yaml_with_an_engine_that_cannot_be_is_refused(spoken: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        HotlineFile.model_validate(
            {"company": "Acme", "numbers": {"4008001234": {"flow": "main"}}, "tts": {"en": spoken}}
        )
