"""One hotline a run for the tests that leave it alone, one for those that kill parts of it, and phones for all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from contextlib import suppress

import pytest
import pytest_asyncio

from phones import Phones
from tests.e2e.hotline import Hotline
from tests.e2e.scene import Scene

# Which hotline a test is on. `shared`: it leaves everything running. `fragile`: it kills parts of it that come
# back; its identity endpoint may take longer than it takes for music to begin. `own`: nobody uses it afterwards.
DEADLINES_S = {"shared": 0.6, "fragile": 3.0, "own": 0.6}

_failed = pytest.StashKey[bool]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "hotline(name): shared (default), fragile or own; see tests/e2e/conftest.py")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        item.stash[_failed] = True
        hotline = getattr(item, "funcargs", {}).get("hotline")
        if isinstance(hotline, Hotline):
            report.sections.append(("what the hotline logged", hotline.fresh_log()))
    return report


class Running:
    """The hotlines of this run, by name: started when first wanted."""

    def __init__(self) -> None:
        self._by_name: dict[str, Hotline] = {}

    async def get(self, name: str) -> Hotline:
        if name not in self._by_name:
            hotline = Hotline(identity_deadline_s=DEADLINES_S[name])
            try:
                await hotline.open()
            except BaseException:
                await hotline.close()
                raise
            self._by_name[name] = hotline
        return self._by_name[name]

    async def end(self, name: str) -> None:
        await self._by_name.pop(name).close()

    async def end_all(self) -> None:
        for name in list(self._by_name):
            await self.end(name)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running() -> AsyncIterator[Running]:
    running = Running()
    yield running
    await running.end_all()


@pytest_asyncio.fixture(loop_scope="session")
async def hotline(request: pytest.FixtureRequest, running: Running) -> AsyncIterator[Hotline]:
    """The hotline that this test is on; after a failure the next test gets another one."""
    mark = request.node.get_closest_marker("hotline")
    name = mark.args[0] if mark else "shared"
    hotline = await running.get(name)
    hotline.fresh_log()
    yield hotline
    if name == "own" or request.node.stash.get(_failed, False):
        await running.end(name)


@pytest_asyncio.fixture(loop_scope="session")
async def lone_scene(hotline: Hotline) -> AsyncIterator[Scene]:
    """As `scene`, for a test that ends its hotline: afterwards there is nobody left to ask what is left."""
    async with Phones.start(hotline.sip, logs=hotline.folder / "phones") as phones:
        scene = Scene(hotline, phones, await phones.carrier())
        await scene.open()
        yield scene


@pytest_asyncio.fixture(loop_scope="session")
async def scene(request: pytest.FixtureRequest, hotline: Hotline) -> AsyncIterator[Scene]:
    """Callers and agents; afterwards nothing of them may be left, and every call must have its row."""
    async with Phones.start(hotline.sip, logs=hotline.folder / "phones") as phones:
        scene = Scene(hotline, phones, await phones.carrier())
        await scene.open()
        yield scene
        failed = request.node.stash.get(_failed, False)
        if failed:
            with suppress(Exception):  # what went wrong may be that nobody answers
                print(await scene.story())
        await scene.close()
        if failed:
            return
        try:
            await scene.check_clean()
        except BaseException:
            request.node.stash[_failed] = True
            raise
