"""What every event is: typed and immutable, and known by its name on the wire."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar, dataclass_transform

E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a call. `call` is "" where no call is concerned; `at` is epoch ms."""

    TYPE: ClassVar[str] = ""
    PREFIX: ClassVar[bytes] = b""

    call: str
    at: int

    @property
    def type(self) -> str:
        """The name on the wire, such as `offer.created`."""
        return self.TYPE


REGISTRY: dict[str, type[Event]] = {}


@dataclass_transform(frozen_default=True)
def event(name: str) -> Callable[[type[E]], type[E]]:
    """Makes a class the event of this name, with its payload as fields."""

    def register(cls: type[E]) -> type[E]:
        made: Any = dataclass(frozen=True, slots=True)(cls)
        made.TYPE = name
        made.PREFIX = b'{"type":"%s",' % name.encode()
        REGISTRY[name] = made
        return made  # type: ignore[no-any-return]

    return register
