"""Compiles `places.json.xz`, the table behind area.py: `python -m engine.identity.build_places`.

phonenumbers' own geocoder holds the whole world as Python dicts: about 100 MB and 0.9 s at start in every
engine, for 0.5 MB of facts about Chinese numbers. Run this after every update of phonenumbers (a unit test
says when).
"""

import lzma
from pathlib import Path
from typing import Any

import orjson

PLACES = Path(__file__).with_name("places.json.xz")
COUNTRY = "86"
DIGITS = 7  # the first seven digits of a national number (the 号段) decide place and carrier

# CLDR's Chinese names for these three are not the ones used in mainland China's telecom documents.
REGION_NAMES = {"HK": "中国香港", "MO": "中国澳门", "TW": "中国台湾"}


def flatten(names: dict[str, str]) -> list[tuple[int, str]]:
    """Nested prefixes as disjoint runs: (first seven-digit segment, name), ascending, name "" for a gap.

    A longer prefix overrules a shorter one, as in libphonenumber.
    """
    edges = set()
    for prefix in names:
        width = 10 ** (DIGITS - len(prefix))
        edges |= {int(prefix) * width, (int(prefix) + 1) * width}
    runs: list[tuple[int, str]] = [(0, "")]
    for edge in sorted(edges):
        segment = f"{edge:0{DIGITS}}"
        name = next((names[segment[:n]] for n in range(DIGITS, 0, -1) if segment[:n] in names), "")
        if name != runs[-1][1]:
            runs.append((edge, name))
    return runs


def chinese(data: dict[str, dict[str, str]]) -> dict[str, str]:
    """The Chinese names of one of phonenumbers' prefix tables, by national prefix."""
    return {
        prefix.removeprefix(COUNTRY): names["zh"]
        for prefix, names in data.items()
        if prefix.startswith(COUNTRY) and "zh" in names
    }


def columns(runs: list[tuple[int, str]]) -> dict[str, list[Any]]:
    names = sorted({name for _, name in runs})
    index = {name: i for i, name in enumerate(names)}
    return {"starts": [start for start, _ in runs], "ids": [index[name] for _, name in runs], "names": names}


def region_names(locales: dict[str, dict[str, str]]) -> dict[str, str]:
    """Countries by their ISO code. "*ja" in phonenumbers' table means: the same as in that language."""
    found = {}
    for region, names in locales.items():
        name = names.get("zh", "")
        found[region] = names.get(name[1:], "") if name.startswith("*") else name
    return {region: name for region, name in (found | REGION_NAMES).items() if name}


def build() -> bytes:
    import phonenumbers
    from phonenumbers.carrierdata import CARRIER_DATA
    from phonenumbers.geodata import GEOCODE_DATA
    from phonenumbers.geodata.locale import LOCALE_DATA

    table = {
        "source": f"phonenumbers {phonenumbers.__version__} (libphonenumber, Apache-2.0)",
        "places": columns(flatten(chinese(GEOCODE_DATA))),
        "carriers": columns(flatten(chinese(CARRIER_DATA))),
        "regions": region_names(LOCALE_DATA),
    }
    return lzma.compress(orjson.dumps(table, option=orjson.OPT_SORT_KEYS), preset=9)


if __name__ == "__main__":
    PLACES.write_bytes(build())
    print(f"{PLACES.name}: {PLACES.stat().st_size} bytes")
