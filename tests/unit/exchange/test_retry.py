"""When a failed delivery is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gateway.exchange.retry import RetryPolicy

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_delays_are_five_fifteen_sixty_minutes_then_hourly():
    policy = RetryPolicy()
    waits = [policy.next_attempt(n, START, START) for n in (1, 2, 3, 4, 9)]
    assert [w and (w - START).total_seconds() / 60 for w in waits] == [5, 15, 60, 60, 60]


def test_after_two_days_it_is_given_up():
    policy = RetryPolicy()
    assert policy.next_attempt(50, START, START + timedelta(hours=47)) == START + timedelta(hours=48)
    assert policy.next_attempt(50, START, START + timedelta(hours=47, minutes=1)) is None


def test_speed_divides_every_delay():
    fast = RetryPolicy(speed=3600)
    assert fast.next_attempt(3, START, START) == START + timedelta(seconds=1)
    assert fast.next_attempt(3, START, START + timedelta(seconds=48)) is None
    assert fast.owes_delay_notice(START, START + timedelta(seconds=4))


def test_the_sender_is_told_after_four_hours():
    policy = RetryPolicy()
    assert not policy.owes_delay_notice(START, START + timedelta(hours=3, minutes=59))
    assert policy.owes_delay_notice(START, START + timedelta(hours=4))
