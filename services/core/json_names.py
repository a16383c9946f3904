"""Names given twice in one JSON object: readers keep the last value and say nothing."""

import json
import re
from typing import Any

_NAME_END = re.compile(rb'"\s*:')


def find_repeated_name(text: bytes, value: Any) -> str | None:
    """The first name that an object of JSON text has twice; None where each stands once.

    `value` is the text as it was decoded: where its members are as many as the text has names, none was lost.
    """
    if len(_NAME_END.findall(text)) <= _count_members(value):
        return None
    repeated: list[str] = []

    def look(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) < len(pairs):
            names = [name for name, _value in pairs]
            repeated.append(next(name for name in names if names.count(name) > 1))
        return members

    json.loads(text, object_pairs_hook=look)
    return repeated[0] if repeated else None


def _count_members(value: Any) -> int:
    count, waiting = 0, [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            count += len(item)
            waiting += [member for member in item.values() if isinstance(member, dict | list)]
        elif isinstance(item, list):
            waiting += [member for member in item if isinstance(member, dict | list)]
    return count
