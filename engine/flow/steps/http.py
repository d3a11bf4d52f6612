"""`http`: ask any JSON endpoint, for callers who serve themselves.

balance:
  http: /accounts/{customer.id}
  save: {balance: balance}
  when: {ok: say_balance, not_found: operator}
  then: sorry
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal
from urllib.parse import quote

import orjson
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator
from yarl import URL

from engine.config.units import Seconds
from engine.flow.expression import LONGEST_TEXT, ExpressionError, Template, Value
from engine.flow.patience import with_music
from engine.flow.steps.base import Outcome, Step
from engine.flow.steps.set import OwnName
from engine.flow.visit import Visit
from engine.http.self_service import SECRET, Answered, Question
from engine.http.self_service import Outcome as Ended
from engine.journal.events import HttpFinished

if TYPE_CHECKING:
    from engine.config.site import Site

# How many requests of a call have been answered: the number of the next is the same when an engine that died asks.
ASKED = "http.asked"

_FIXED_HOST = re.compile(r"(https?://[^\s/{}?#@]+)?(/(?!/)[^\s#]*)|https?://[^\s/{}?#@]+")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110 section 5.6.2
# What the engine itself says in every request.
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "idempotency-key"})
_UNSPEAKABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def _url(template: Template) -> Template:
    if not _FIXED_HOST.fullmatch(template.text):
        raise ValueError(
            "must be http(s)://host/…, or the /path alone at the identity endpoint's host; without user, password or "
            "#fragment, and {variables} behind the host only"
        )
    return template


def _headers(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not _HEADER.fullmatch(name) or name.lower() in _OURS:
            raise ValueError(f"`{name}` is no header that can be set here")
        if _UNSPEAKABLE.search(value) or "{" in value.replace(SECRET, ""):
            raise ValueError(f"`{name}` may hold text and {SECRET} only; what callers key in belongs into the body")
    return headers


def _keys(path: Any) -> Any:
    """`data.orders.0.status` as its parts."""
    return path.split(".") if isinstance(path, str) else path


Url = Annotated[Template, AfterValidator(_url)]
Headers = Annotated[dict[str, str], AfterValidator(_headers)]
Path_ = Annotated[list[Annotated[str, StringConstraints(pattern=r"^[^\s.]{1,64}$")]], BeforeValidator(_keys)]
Field_ = Template | bool | int | float | None


class Http(Step):
    """One request, one branch for each way it may end.

    A path alone is asked of the identity endpoint's host, signed as its requests are (docs/identity.md); anybody
    else is asked by a whole URL, and may be shown a secret in a header. `private`: the name in the URL may lead into
    the company's own network, which a host that is written as an address may anyway.

    Values stand in the URL percent-encoded, and never in its host; one that is empty or `..` ends as `invalid`
    without a request. `body`, if any, goes as JSON. `save` takes values out of the JSON that comes back
    (`data.orders.0.status`); if one is missing the outcome is `invalid`. Each request has an `Idempotency-Key`,
    which is the same when it is repeated after a broken connection or by the engine that takes over.
    """

    kind: ClassVar[str] = "http"
    silent: ClassVar[bool] = True
    outcomes: ClassVar[tuple[str, ...]] = tuple(outcome.value for outcome in Ended)
    http: Url
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    headers: Headers = Field(default_factory=dict)
    secret_file: Path | None = None
    body: dict[str, Field_] | None = None
    private: bool = False
    deadline: Seconds = Field(default=3.0, gt=0, le=30)
    save: dict[OwnName, Path_] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _makes_sense(self) -> Http:
        if self.body is not None and self.method == "GET":
            raise ValueError("a GET has no `body`; write `method: POST`")
        wants_secret = any(SECRET in value for value in self.headers.values())
        if wants_secret != (self.secret_file is not None):
            raise ValueError(f"`secret_file` and {SECRET} in one of `headers` belong together")
        return self

    async def run(self, visit: Visit) -> Outcome:
        """Asks; music after a second of silence. Raises HungUp."""
        asked = int(visit.variables.get(ASKED) or 0) + 1
        request_id = f"{visit.call_id}-http-{asked}"
        try:
            answered = await with_music(visit.leg, visit.services.http.ask(self._question(visit, request_id)))
            answered, values = self._saved(answered)
        except ExpressionError as error:
            answered, values = Answered(Ended.INVALID, detail=str(error)), {}
        visit.variables[ASKED] = asked
        for name, value in values.items():
            visit.set(name, value)
        visit.note(
            HttpFinished,
            url=self.http.text,
            request=request_id,
            outcome=answered.outcome,
            ms=answered.ms,
            saved=tuple(values),
            detail=answered.detail,
        )
        return self.go(answered.outcome, answered.detail)

    def _question(self, visit: Visit, request_id: str) -> Question:
        """Raises ExpressionError for values that cannot stand where they should."""
        values = visit.values()
        written = self.http.of(values, escape=_in_url)
        if len(written) >= LONGEST_TEXT:
            raise ExpressionError(f"the URL comes to {LONGEST_TEXT} characters or more")
        ours = written.startswith("/")
        return Question(
            method=self.method,
            url=_at_identity_endpoint(visit.site).join(URL(written)) if ours else URL(written),
            request_id=request_id,
            deadline_s=self.deadline,
            headers=self.headers,
            body=None if self.body is None else orjson.dumps(_filled(self.body, values)),
            secret_file=visit.site.folder / self.secret_file if self.secret_file else None,
            sign=ours,
            private=self.private or ours,
            wants_json=bool(self.save),
        )

    def _saved(self, answered: Answered) -> tuple[Answered, dict[str, Value]]:
        if answered.outcome is not Ended.OK:
            return answered, {}
        try:
            return answered, {name: _value(answered.content, path) for name, path in self.save.items()}
        except ExpressionError as error:
            return Answered(Ended.INVALID, ms=answered.ms, detail=str(error)), {}

    def sets(self) -> Sequence[str]:
        """What is saved."""
        return tuple(self.save)


def _at_identity_endpoint(site: Site) -> URL:
    if site.hotline.identity is None:
        raise ExpressionError("a path alone is asked of the identity endpoint, and hotline.yaml has no `identity`")
    return URL(site.hotline.identity.url).origin()


def _in_url(text: str) -> str:
    """Nothing of a value acts in the URL: it neither leaves its place in the path nor leaves it empty."""
    if not text.strip("."):
        raise ExpressionError(f"{f'`{text}`' if text else 'an empty value'} cannot stand in a URL")
    return quote(text, safe="")


def _filled(body: Mapping[str, Field_], values: Mapping[str, Value]) -> dict[str, Value]:
    return {name: part.of(values) if isinstance(part, Template) else part for name, part in body.items()}


def _value(content: Any, path: Sequence[str]) -> Value:
    """What stands at a path of the answer. Raises ExpressionError, which quotes nothing of it."""
    for key in path:
        if isinstance(content, dict) and key in content:
            content = content[key]
        elif isinstance(content, list) and key.isdecimal() and int(key) < len(content):
            content = content[int(key)]
        else:
            raise ExpressionError(f"the answer has no `{'.'.join(path)}`")
    if isinstance(content, str):
        return _UNSPEAKABLE.sub(" ", content)
    if content is not None and not isinstance(content, bool | int | float):
        raise ExpressionError(f"`{'.'.join(path)}` of the answer is not one value")
    return content
