"""Areas as a company sees them: provinces, cities, carriers and prefixes put together under names of its own."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from engine.config.units import Written
from engine.identity import area
from engine.identity.numbers import Caller

# Two names that no group may have: whose place is not known, and whose place is in no group.
UNKNOWN = "unknown"
OTHER = "other"

PROVINCES = (
    *("北京", "天津", "上海", "重庆", "河北", "山西", "辽宁", "吉林", "黑龙江", "江苏", "浙江", "安徽", "福建", "江西"),
    *("山东", "河南", "湖北", "湖南", "广东", "海南", "四川", "贵州", "云南", "陕西", "甘肃", "青海"),
    *("内蒙古", "广西", "西藏", "宁夏", "新疆"),
)
MUNICIPALITIES = PROVINCES[:4]

_PROVINCE = re.compile("|".join(PROVINCES))
_RANK = re.compile(r"^(?:省|特别行政区|(?:壮族|回族|维吾尔)?自治区|市)")
_PEOPLES = "傈僳|柯尔克孜|哈萨克|布依|蒙古|景颇|哈尼|土家|朝鲜|壮|苗|傣|彝|侗|回|藏|羌|白"
_CITY_RANK = re.compile(rf"(?:市|地区|盟|林区|(?:(?:{_PEOPLES})族?)+自治州|自治州)$")


Kind = Literal["province", "city", "carrier"]


@dataclass(frozen=True, slots=True)
class Place:
    """A place's parts by their short names: 广东 and 深圳. Abroad the province is the country. `cities`: an area code
    may be shared by several."""

    province: str = ""
    cities: tuple[str, ...] = ()


@cache
def place(name: str) -> Place:
    """The parts of a place as identity/area.py names it: 广东省深圳市, 北京市, 内蒙古包头市, 中国香港, 日本, or ""."""
    found = _PROVINCE.match(name)
    if found is None:
        return Place(name.removeprefix("中国"))
    rest = _RANK.sub("", name[found.end() :])
    cities = tuple(city(part) for part in rest.split("、") if part)
    return Place(found[0], cities or ((found[0],) if found[0] in MUNICIPALITIES else ()))


def province(name: str) -> str:
    """A province's short name: 广东省 and 广东 are 广东, 中国香港 is 香港."""
    return place(name).province


def city(name: str) -> str:
    """A city's short name: 深圳市 and 深圳 are 深圳, 恩施土家族苗族自治州 is 恩施."""
    return _CITY_RANK.sub("", name) or name


# What makes two spellings of one name comparable.
SHORT: Mapping[str, Callable[[str], str]] = {"province": province, "city": city, "carrier": str}


@cache
def _known() -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """The provinces (and countries), cities and carriers that callers can be from."""
    table = area.load()
    places = [place(name) for name in table.places.names]
    countries = {province(name) for name in table.regions.values()}
    provinces = frozenset(PROVINCES) | countries - {"", "中国"}
    cities = frozenset(each for one in places for each in one.cities)
    return provinces, cities, frozenset(filter(None, table.carriers.names))


def _one_of(what: str, names: frozenset[str], short: Callable[[str], str]) -> Callable[[str], str]:
    def check(name: str) -> str:
        if short(name) not in names:
            close = " or ".join(difflib.get_close_matches(short(name), sorted(names), n=3, cutoff=0.5))
            raise ValueError(f"no {what} {name!r} is known" + (f" (did you mean {close}?)" if close else ""))
        return short(name)

    return check


def known_province(name: str) -> str:
    """Its short name. Raises ValueError."""
    return _one_of("province", _known()[0], province)(name)


def known_city(name: str) -> str:
    """Its short name. Raises ValueError."""
    return _one_of("city", _known()[1], city)(name)


def known_carrier(name: str) -> str:
    """The carrier as identity/area.py names it. Raises ValueError."""
    return _one_of("carrier", _known()[2], lambda carrier: carrier)(name)


Prefix = Annotated[str, StringConstraints(pattern=r"^\+\d{1,14}$")]


class AreaGroup(Written):
    """Callers are in it who are from one of these provinces or cities, of one of these carriers, or whose number
    (E.164) begins so: one of all that is written is enough."""

    provinces: list[Annotated[str, AfterValidator(known_province)]] = Field(default_factory=list)
    cities: list[Annotated[str, AfterValidator(known_city)]] = Field(default_factory=list)
    carriers: list[Annotated[str, AfterValidator(known_carrier)]] = Field(default_factory=list)
    prefixes: list[Prefix] = Field(default_factory=list)

    @model_validator(mode="after")
    def _holds_somebody(self) -> AreaGroup:
        if not (self.provinces or self.cities or self.carriers or self.prefixes):
            raise ValueError("a group needs provinces, cities, carriers or prefixes")
        return self

    def has(self, caller: Caller) -> bool:
        """Whether a caller is in it."""
        where = place(caller.area)
        return (
            where.province in self.provinces
            or any(each in self.cities for each in where.cities)
            or caller.carrier in self.carriers
            or caller.number.startswith(tuple(self.prefixes))
        )


def _not_reserved(name: str) -> str:
    if name in (UNKNOWN, OTHER):
        raise ValueError(f"`{name}` is what callers of no group are called; give the group another name")
    return name


Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,40}$"), AfterValidator(_not_reserved)]


class AreasFile(Written):
    """dialplan/areas.yaml"""

    areas: dict[Name, AreaGroup] = Field(default_factory=dict)


def group(caller: Caller, groups: Mapping[str, AreaGroup]) -> str:
    """The first group in the file that the caller is in; OTHER if in none, UNKNOWN if nobody knows where they are."""
    for name, each in groups.items():
        if each.has(caller):
            return name
    return OTHER if caller.area else UNKNOWN


def own(caller: Caller, kind: Kind) -> tuple[str, ...]:
    """The short names of the caller's province, cities or carrier; () where theirs is not known."""
    where = place(caller.area)
    names = {"province": (where.province,), "city": where.cities, "carrier": (caller.carrier,)}[kind]
    return tuple(filter(None, names))
