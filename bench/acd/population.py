"""Who works and who calls: a call centre of 100 queues, the same one every time."""

from __future__ import annotations

import random

from engine.acd import AgentTerms, Policy, Step

LANGUAGES = ("mandarin", "cantonese", "english", "japanese", "korean")
# fmt: off
PRODUCTS = (
    "accounts", "billing", "cards", "claims", "contracts", "credit", "deliveries", "devices", "faults", "fibre",
    "insurance", "invoices", "loans", "mobile", "orders", "repairs", "returns", "roaming", "sales", "travel",
)
# fmt: on
QUEUES = tuple(f"{language}-{product}" for language in LANGUAGES for product in PRODUCTS)
DOMAIN = "bench"
_SEED = 400


def policies() -> dict[str, Policy]:
    """A queue asks for a language and a product, and after half a minute for less of both: 200 requirements. Wrap-up is
    0, so that an agent who is done is ready."""
    found = {}
    for queue in QUEUES:
        language, product = queue.split("-")
        steps = (
            Step(0, f"{language}>=4 & {product}>=6"),
            Step(30_000, f"{language}>=2 & {product}>=3"),
        )
        found[queue] = Policy(steps=steps, lease_ms=30_000, wrapup_ms=0)
    return found


def agents(count: int) -> dict[str, AgentTerms]:
    """Each speaks one language well and perhaps a second one, and knows three to eight products more or less. The first
    hundred could serve every queue between them, and so could any hundred after: no queue is left without anybody."""
    chance = random.Random(_SEED)  # noqa: S311
    found = {}
    for number in range(count):
        own, product = divmod(number % len(QUEUES), len(PRODUCTS))
        skills = {language: chance.randint(1, 6) for language in LANGUAGES if chance.random() < 0.1}
        skills |= {name: chance.randint(1, 10) for name in chance.sample(PRODUCTS, chance.randint(2, 7))}
        skills |= {LANGUAGES[own]: chance.randint(4, 10), PRODUCTS[product]: chance.randint(6, 10)}
        found[str(10_000 + number)] = AgentTerms(skills=skills)
    return found
