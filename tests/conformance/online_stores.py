"""What every online store must do: hand ``ONLINE_CHECKS`` a fresh, empty one each."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from gleis.contracts.features import Written


def rows_come_back(store):
    rows = {"JFK": b"cold", "Zürich": bytes(range(256)), "x" * 3000: b"", "a\x1f7": b"two"}
    assert store.replace("weather", rows) == Written(changed=4, removed=0)
    asked = [*rows, "LGA", "JFK"]
    assert store.look_up("weather", asked) == [*rows.values(), None, b"cold"]
    assert store.look_up("weather", []) == []
    assert store.look_up("weather", ["JFK"]) == [b"cold"]
    assert store.look_up("weather", ["LGA"]) == [None]
    assert store.count("weather") == 4


def only_what_differs_is_written(store):
    store.replace("weather", {"A": b"1", "B": b"2", "C": b"3"})
    assert store.replace("weather", {"A": b"1", "B": b"9", "D": b"4"}) == Written(
        changed=2, removed=1
    )
    assert store.look_up("weather", ["A", "B", "C", "D"]) == [b"1", b"9", None, b"4"]
    assert store.replace("weather", {"A": b"1", "B": b"9", "D": b"4"}) == Written(
        changed=0, removed=0
    )


def tables_do_not_meet(store):
    store.replace("weather@1", {"A": b"old"})
    store.replace("weather@12", {"A": b"new"})
    store.replace("weather@1", {})
    assert store.look_up("weather@12", ["A"]) == [b"new"]
    assert store.look_up("weather@1", ["A"]) == [None]
    assert store.count("weather@1") == 0


def an_entity_can_be_forgotten(store):
    store.replace("weather", {"A": b"1", "B": b"2", "y" * 3000: b"3"})
    assert store.remove("weather", ["A", "Z", "y" * 3000]) == 2
    assert store.look_up("weather", ["A", "B", "y" * 3000]) == [None, b"2", None]
    assert store.remove("air", ["B"]) == store.remove("weather", []) == 0


def a_table_can_be_dropped(store):
    store.replace("weather@1", {"A": b"1", "y" * 3000: b"2"})
    store.replace("weather@12", {"A": b"3"})
    for table in ("weather@1", "weather@12"):
        store.write_note(table, b"v1")
    assert (store.drop("weather@1"), store.drop("air")) == (2, 0)
    assert (store.tables(), store.note("weather@1")) == (["weather@12"], None)
    assert store.look_up("weather@1", ["A"]) == [None]
    assert store.look_up("weather@12", ["A"]) == [b"3"]


def notes_stay(store):
    assert store.note("weather") is None
    assert store.tables() == []
    store.write_note("weather", b"v1")
    store.write_note("air", b"v1")
    store.write_note("weather", b"v2")
    assert store.note("weather") == b"v2"
    assert store.tables() == ["air", "weather"]
    assert store.count("weather") == 0


def many_rows(store):
    rows = {f"s{number}": str(number).encode() for number in range(45_000)}
    assert store.replace("many", rows).changed == 45_000
    keys = [f"s{number}" for number in range(0, 46_000, 13)]
    assert store.look_up("many", keys) == [rows.get(key) for key in keys]


def readers_see_a_row_before_or_after(store):
    states = [{"A": bytes([n]) * 500, "B": bytes([n]) * 500} for n in range(1, 30)]
    store.replace("weather", states[0])

    def read(_):
        return [store.look_up("weather", ["A", "B"]) for _ in range(50)]

    with ThreadPoolExecutor(3) as pool:
        reading = pool.map(read, range(2))
        for state in states:
            store.replace("weather", state)
        seen = [row for part in reading for pair in part for row in pair]
    assert all(len(set(row)) == 1 and len(row) == 500 for row in seen)
    assert store.look_up("weather", ["A", "B"]) == [*states[-1].values()]


ONLINE_CHECKS = (
    rows_come_back,
    only_what_differs_is_written,
    tables_do_not_meet,
    an_entity_can_be_forgotten,
    a_table_can_be_dropped,
    notes_stay,
    many_rows,
    readers_see_a_row_before_or_after,
)
