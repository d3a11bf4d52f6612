"""Names, keys and requirements as admins write them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, StringConstraints

from engine.acd import parse

Language = Literal["zh-CN", "en"]
Digits = Annotated[str, StringConstraints(pattern=r"^\d{2,20}$")]
Extension = Annotated[str, StringConstraints(pattern=r"^\d{2,8}$")]
# Names go into dialplan extensions, PJSIP section names and Redis keys: letters, digits, dash, underscore.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
Key = Annotated[str, StringConstraints(pattern=r"^[0-9*#]$")]


def _as_text(keys: Any) -> Any:
    """YAML reads an unquoted 1 as a number; the admin meant the key."""
    return {str(key): value for key, value in keys.items()} if isinstance(keys, dict) else keys


AsKeys = BeforeValidator(_as_text)


def _requirement(text: str) -> str:
    parse(text)
    return text


Requirement = Annotated[str, AfterValidator(_requirement)]
