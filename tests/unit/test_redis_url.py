"""What an admin may write to say where Redis is, and what is said about the rest."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.host.up import Options, Supervisor
from engine.redis_line.url import BadRedisUrl, Kind, RedisUrl, Server, parse


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("redis://", RedisUrl(Kind.PLAIN, (Server("127.0.0.1", 6379),))),
        ("redis://cache.local/2", RedisUrl(Kind.PLAIN, (Server("cache.local", 6379),), database=2)),
        ("redis://[::1]:7000?db=3", RedisUrl(Kind.PLAIN, (Server("::1", 7000),), database=3)),
        ("redis://:p%40ss@h", RedisUrl(Kind.PLAIN, (Server("h", 6379),), password="p@ss")),
        ("rediss://u:p@h:1", RedisUrl(Kind.PLAIN, (Server("h", 1),), tls=True, user="u", password="p")),
        ("unix:///run/redis.sock?db=1", RedisUrl(Kind.PLAIN, (Server("", 0, "/run/redis.sock"),), database=1)),
        ("unix://:p@/a%20b", RedisUrl(Kind.PLAIN, (Server("", 0, "/a b"),), password="p")),
        (
            "redis+sentinel://u:p@a,b:1,[::2]/the-master/4?sentinel_password=q%26",
            RedisUrl(
                Kind.SENTINEL,
                (Server("a", 26379), Server("b", 1), Server("::2", 26379)),
                user="u",
                password="p",
                database=4,
                master="the-master",
                sentinel_password="q&",
            ),
        ),
        (
            "rediss+cluster://a:7001,b:7002",
            RedisUrl(Kind.CLUSTER, (Server("a", 7001), Server("b", 7002)), tls=True),
        ),
    ],
)
def test_a_url_is_read(text: str, read: RedisUrl) -> None:
    assert parse(text) == read


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("http://host", "'http'"),
        ("localhost:6379", "cannot be read"),
        ("redis+proxy://host", r"redis\+proxy"),
        ("unix+cluster:///run/redis.sock", r"unix\+cluster"),
        ("unix://redis.sock", "absolute path"),
        ("redis://a,b", "several servers"),
        ("redis://h:0", "'h:0'"),
        ("redis://h:x", "'h:x'"),
        ("redis+cluster://h:1,h:99999", "'h:99999'"),
        ("redis://h/default", "'default', which is no number"),
        ("redis+cluster://h/1", "none but 0"),
        ("redis+sentinel://h", "does not name the master"),
        ("redis://h?socket_timeout=3", "'socket_timeout'"),
        ("redis://:pa#ss@h", "%23"),
        ("redis://[::1", "no host:port"),
        ("redis://::1:7000", "no host:port"),
        ("redis+cluster://h:1,,h:2/x", "'x', which is no number"),
    ],
)
def test_what_is_wrong_with_a_url_is_said_with_the_remedy(text: str, why: str) -> None:
    with pytest.raises(BadRedisUrl, match=why) as raised:
        parse(text)
    assert "redis+sentinel://" in str(raised.value)


def test_the_password_is_in_no_fault_and_no_representation() -> None:
    with pytest.raises(BadRedisUrl) as raised:
        parse("redis://u:hush@h:0")
    assert "hush" not in str(raised.value) + repr(parse("redis://u:hush@h?sentinel_password=hush"))


def test_up_refuses_a_bad_url_before_it_starts_anything(tmp_path: Path) -> None:
    options = Options(tmp_path, tmp_path / "state", "127.0.0.1", 5060, "redis://h:x", None, None, 1.0)
    with pytest.raises(BadRedisUrl):
        Supervisor(options, print)


@pytest.mark.parametrize("page", ["redis.md", "redis.zh-CN.md"])
def test_what_the_pages_tell_one_to_write_can_be_read(page: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / page).read_text(encoding="utf-8")
    examples = re.findall(r"^(redis\S+://\S+)$", text, re.MULTILINE)
    assert [parse(example).kind for example in examples] == [Kind.SENTINEL, Kind.CLUSTER]
    assert all(parse(example).user == "hotline" for example in examples)
