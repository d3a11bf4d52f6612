"""A cluster: the line stays with the node that serves its domain, wherever that goes."""

from __future__ import annotations

import asyncio

import pytest

from engine.journal.events import CallAnswered
from engine.journal.journal import Journal
from engine.journal.tail import Tail
from engine.redis_line import LineDown, RedisLine
from tests.acd.desk import Desk
from tests.acd.failover import goes_on, in_the_middle
from tests.acd.lines import opened, until
from tests.acd.redis_cluster import KEY, RedisCluster

# One that counts in a key which it does not name, as the ACD's do.
COUNTING = """#!lua name=counting
redis.register_function('count', function(keys) return redis.call('INCR', keys[1] .. ':count') end)
"""


class Move:
    """The slot of the domain goes from the node that has it to another, as an admin would move it."""

    def __init__(self, cluster: RedisCluster) -> None:
        self._slot = cluster.slot
        self._nodes = cluster.masters
        self.source = cluster.owner()
        self.target = next(node for node in cluster.masters if node is not self.source)

    def begin(self) -> None:
        self.target.ask("CLUSTER", "SETSLOT", self._slot, "IMPORTING", self.source.ask("CLUSTER", "MYID"))
        self.source.ask("CLUSTER", "SETSLOT", self._slot, "MIGRATING", self.target.ask("CLUSTER", "MYID"))

    def keys(self) -> None:
        while keys := self.source.ask("CLUSTER", "GETKEYSINSLOT", self._slot, 100):
            self.source.ask("MIGRATE", "127.0.0.1", self.target.port, "", 0, 5000, "KEYS", *keys)

    def end(self) -> None:
        id_ = self.target.ask("CLUSTER", "MYID")
        for node in (self.target, *(node for node in self._nodes if node is not self.target)):
            node.ask("CLUSTER", "SETSLOT", self._slot, "NODE", id_)


async def test_the_node_of_the_domain_is_found_from_any_other(redis_cluster: RedisCluster) -> None:
    owner = redis_cluster.owner()
    for node in redis_cluster.masters:
        async with opened(f"redis+cluster://{node.address}") as line:
            assert await line.call("CLUSTER", "MYID") == owner.ask("CLUSTER", "MYID")
            assert await line.call("SET", f"{KEY}:from", node.address) == "OK"


async def test_each_domain_is_served_by_its_own_node(redis_cluster: RedisCluster) -> None:
    served_by = set()
    for domain in ("default", "b", "c", "d"):
        async with opened(redis_cluster.url, domain=domain) as line:
            await line.call("SET", f"hotline:{{{domain}}}:name", domain)
            served_by.add(await line.call("CLUSTER", "MYID"))
    assert len(served_by) > 1


async def test_nodes_that_are_gone_are_passed_over_and_named_when_all_are(redis_cluster: RedisCluster) -> None:
    gone = "127.0.0.1:1,127.0.0.1:2"
    async with opened(f"redis+cluster://{gone},{redis_cluster.masters[2].address}") as line:
        assert await line.call("ECHO", "here") == "here"
    with pytest.raises(LineDown, match=r"127\.0\.0\.1:1: .*127\.0\.0\.1:2: "):
        await RedisLine(f"redis+cluster://{gone}").open()


async def test_a_slot_that_moves_costs_no_command_and_no_order(redis_cluster: RedisCluster) -> None:
    async with opened(redis_cluster.url) as line:
        await line.call("DEL", f"{KEY}:list")
        replies: list[int] = []
        move, moving = Move(redis_cluster), True

        async def pushes() -> None:
            while moving:
                line.post("RPUSH", f"{KEY}:list", len(replies))
                replies.append(await line.call("RPUSH", f"{KEY}:list", "called"))

        pushing = asyncio.create_task(pushes())
        for step in (move.begin, move.keys, move.end):
            before = len(replies)
            await asyncio.to_thread(step)
            if step is not move.keys:
                await asyncio.sleep(0)
            else:
                assert len(replies) - before < 100, "nothing is served while the keys are at two nodes"
        after = len(replies)
        await until(lambda: len(replies) > after + 20)
        moving = False
        await pushing
        assert redis_cluster.owner() is move.target
        assert replies == list(range(2, 2 * len(replies) + 1, 2))
        listed = await line.call("LRANGE", f"{KEY}:list", 0, -1)
        assert listed == [value for number in range(len(replies)) for value in (str(number), "called")]


async def test_no_function_runs_on_half_of_the_domain_while_its_slot_moves(redis_cluster: RedisCluster) -> None:
    async with opened(redis_cluster.url, deadline_s=0.4) as line:
        await line.call("FUNCTION", "LOAD", "REPLACE", COUNTING)
        await line.call("DEL", f"{KEY}:count")
        assert [await line.call("FCALL", "count", 1, KEY) for _ in range(3)] == [1, 2, 3]
        move = Move(redis_cluster)
        move.target.ask("FUNCTION", "LOAD", "REPLACE", COUNTING)
        move.begin()
        with pytest.raises(LineDown, match=r"not sent.*ASK"):
            await line.call("FCALL", "count", 1, KEY)
        assert move.target.ask("CLUSTER", "COUNTKEYSINSLOT", redis_cluster.slot) == 0
        line.post("FCALL", "count", 1, KEY)
        move.keys()
        move.end()
        await until(lambda: line._wire is not None)
        assert await line.call("FCALL", "count", 1, KEY) == 5


async def test_a_node_that_lacks_the_functions_is_given_them(redis_cluster: RedisCluster) -> None:
    async with opened(redis_cluster.url) as line:
        await line.call("FLUSHALL")
        desk = Desk(line)
        await desk.acd.load()
        await desk.staff({"8001": {}}, "any", ready=False)
        await desk.calls("call-1")
        move = Move(redis_cluster)
        move.target.ask("FUNCTION", "FLUSH")
        for step in (move.begin, move.keys, move.end):
            step()
        await desk.calls("call-2")
        assert await desk.acd.position("call-2") == 2


async def test_a_cluster_that_is_down_is_waited_for(redis_cluster: RedisCluster) -> None:
    owner = redis_cluster.owner()
    first, last = next(row[:2] for row in owner.ask("CLUSTER", "SLOTS") if row[2][1] == owner.port)
    another = first if first != redis_cluster.slot else last
    async with opened(redis_cluster.url) as line:
        owner.ask("CLUSTER", "DELSLOTS", another)
        waiting = asyncio.create_task(line.call("ECHO", "served"))
        refused = asyncio.create_task(line.call("SET", f"{KEY}:a", "b"))
        assert await waiting == "served"
        await until(lambda: "CLUSTERDOWN" in line._fault)
        assert not refused.done()
        owner.ask("CLUSTER", "ADDSLOTS", another)
        assert await refused == "OK"


async def test_all_that_is_under_way_outlives_the_death_of_their_master(own_cluster: RedisCluster) -> None:
    master = own_cluster.owner()
    replica = own_cluster.back_up(master)
    came_back = asyncio.Event()
    async with opened(own_cluster.url, deadline_s=10.0, on_back=came_back.set) as line:
        desk, journal = Desk(line), Journal(line)
        await desk.acd.load()
        await in_the_middle(desk)
        async with Tail(own_cluster.url) as tail:
            assert await line.call("WAIT", 1, 5000) == 1
            master.kill()
            await until(lambda: line._wire is None)
            journal.append(CallAnswered("call-1", 1))
            assert await desk.acd.position("call-2") == 2
            assert came_back.is_set()
            assert await line.call("CLUSTER", "MYID") == replica.ask("CLUSTER", "MYID")
            async with asyncio.timeout(5):
                while (await anext(tail)).event.type != "call.answered":
                    pass
        await goes_on(desk)
