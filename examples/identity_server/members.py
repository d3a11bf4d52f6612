"""Members prove who they are, and cannot be guessed at: three wrong tries lock the account."""

import hmac
from collections import OrderedDict
from typing import Any

TRIES = 3
MOST_ANSWERS = 10_000

Json = dict[str, Any]


class Members:
    """Counts wrong tries in memory; yours belong into your database, with the time after which they are forgotten."""

    def __init__(self, members: dict[str, Json]) -> None:
        self._members = members
        self._wrong: dict[str, int] = {}
        self._answers: OrderedDict[str, Json] = OrderedDict()

    def answer(self, shown: dict[str, str], request_id: str) -> Json:
        """To what a caller has keyed in. The same request again gets the same answer and counts once."""
        if request_id not in self._answers:
            self._answers[request_id] = self._judge(shown)
            if len(self._answers) > MOST_ANSWERS:
                self._answers.popitem(last=False)
        return self._answers[request_id]

    def _judge(self, shown: dict[str, str]) -> Json:
        number = shown.get("id") or self._number_of(shown.get("id_card", ""))
        member = self._members.get(number)
        if member is None:
            return {"status": "not_found"}
        if self._wrong.get(number, 0) >= TRIES:
            return {"status": "locked"}
        proofs = [name for name in ("pin", "id_card") if name in shown]
        if proofs and all(hmac.compare_digest(shown[name], str(member[name])) for name in proofs):
            self._wrong.pop(number, None)
            return {"status": "ok", "customer": member["customer"]}
        self._wrong[number] = self._wrong.get(number, 0) + 1
        return {"status": "locked" if self._wrong[number] >= TRIES else "rejected"}

    def _number_of(self, id_card: str) -> str:
        return next((number for number, member in self._members.items() if member["id_card"] == id_card), "")
