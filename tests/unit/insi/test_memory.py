"""What the client remembers: by a keyed hash, for a while, and no more than so many."""

from __future__ import annotations

from adapters.insi.memory import Memory
from tests.support.insi_cases import GOOD


class Seconds:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_answer_serves_until_it_is_old() -> None:
    clock = Seconds()
    memory: Memory[str] = Memory(10, 5, clock)
    memory.put("a", "x")
    assert memory.get("a") == "x"
    clock.now = 10.0
    assert memory.get("a") is None
    assert len(memory) == 0


def test_the_least_recently_used_leaves_first() -> None:
    memory: Memory[str] = Memory(10, 2, Seconds())
    memory.put("a", "1")
    memory.put("b", "2")
    memory.get("a")
    memory.put("c", "3")
    assert (memory.get("a"), memory.get("b"), memory.get("c")) == ("1", None, "3")


def test_nothing_is_kept_when_told_so() -> None:
    memory: Memory[str] = Memory(0, 5, Seconds())
    memory.put("a", "x")
    assert memory.get("a") is None


def test_the_name_of_an_answer_tells_nothing_and_is_anothers_elsewhere() -> None:
    one, other = Memory[str](10, 5, Seconds()), Memory[str](10, 5, Seconds())
    name = one.digest("search", GOOD)
    assert name == one.digest("search", GOOD)
    assert name != other.digest("search", GOOD)
    assert name != one.digest("verify", GOOD)
    assert "DELMAS" not in name
    assert len(name) == 64
