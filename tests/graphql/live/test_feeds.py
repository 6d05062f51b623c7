"""What is due, by a clock that the test sets."""

from hypothesis import given
from hypothesis import strategies as st

from energycore.graphql.live.feeds import MAX_PENDING, DeviceStates, Summary, feed_of, root_field
from energycore.graphql.live.limits import SocketLimits
from energycore.protocols.channel import Change
from energycore.protocols.records import MAX_PAGE, Cursor

TENANT = "acme"
ANY = Change(TENANT)


def changed(*ids):
    return Change(TENANT, frozenset(ids))


def summary():
    return Summary(least_s=1.0, most_s=25.0)


def looked(feed, now_s, data):
    assert feed.due_in(now_s) == 0.0
    event = feed.event()
    event.at_us = int(now_s * 1e6)
    return feed.is_news(event, data, now_s)


def test_a_summary_is_due_at_once_then_when_it_may_have_changed_and_at_the_latest_for_a_heartbeat():
    feed = summary()
    assert looked(feed, 100.0, {"net": 1})
    assert feed.due_in(100.0) == 25.0
    assert feed.add(ANY)
    assert not feed.add(ANY)
    assert feed.due_in(100.25) == 0.75
    assert not looked(feed, 101.0, {"net": 1})
    # Looked at without news: the heartbeat is still counted from the last message.
    assert feed.due_in(101.0) == 24.0
    feed.add(ANY)
    assert feed.due_in(101.5) == 0.5
    assert looked(feed, 102.0, {"net": 2})
    assert feed.due_in(102.0) == 25.0
    assert looked(feed, 127.0, {"net": 2})


def test_the_instant_alone_is_no_news():
    feed = summary()
    assert looked(feed, 0.0, {"at": "1970-01-01T00:00:00.000Z", "net": 1})
    feed.add(ANY)
    assert not looked(feed, 3.0, {"at": "1970-01-01T00:00:03.000Z", "net": 1})
    feed.add(ANY)
    assert looked(feed, 4.0, {"at": "1970-01-01T00:00:04.000Z", "net": 2})


def test_a_change_while_the_summary_is_read_is_looked_at_again():
    feed = summary()
    event = feed.event()
    feed.add(ANY)
    assert feed.is_news(event, {"net": 1}, 5.0)
    assert feed.due_in(5.0) == 1.0


def test_what_failed_is_asked_for_again_but_not_at_once():
    totals, states = summary(), DeviceStates()
    totals.failed(totals.event(), 10.0)
    assert totals.due_in(10.0) == 5.0
    walked(states)
    states.add(changed(1, 2))
    event = states.event()
    states.failed(event, 10.0)
    assert states.due_in(10.0) == 5.0
    assert states.due_in(15.0) == 0.0
    assert states.event().device_ids == [1, 2]


def walked(feed, pages=1):
    for number in range(pages):
        event = feed.event()
        assert event.device_ids is None
        event.next_after = Cursor(number, number) if number + 1 < pages else None
        feed.is_news(event, {"deviceStates": [1]}, 0.0)


def test_all_devices_come_page_by_page_then_those_that_changed_meanwhile():
    feed = DeviceStates()
    # Before the first page is asked for, it will be in it.
    assert not feed.add(changed(1))
    first = feed.event()
    feed.add(changed(2))
    first.next_after = Cursor("b", 2)
    feed.is_news(first, {"deviceStates": [1]}, 0.0)
    second = feed.event()
    assert second.after == Cursor("b", 2)
    feed.is_news(second, {"deviceStates": []}, 0.0)
    assert feed.event().device_ids == [2]
    assert feed.due_in(0.0) is None


def test_a_walk_under_way_comes_to_its_end_before_another_begins():
    feed = DeviceStates()
    first = feed.event()
    feed.add(ANY)
    feed.add(changed(5))
    first.next_after = Cursor("b", 2)
    feed.is_news(first, {"deviceStates": [1]}, 0.0)
    second = feed.event()
    assert second.after == Cursor("b", 2)
    feed.is_news(second, {"deviceStates": [1]}, 0.0)
    again = feed.event()
    assert (again.device_ids, again.after) == (None, None)
    feed.is_news(again, {"deviceStates": [1]}, 0.0)
    assert feed.due_in(0.0) is None


def test_an_empty_batch_is_no_news_unless_it_is_the_first():
    feed = DeviceStates()
    assert feed.is_news(feed.event(), {"deviceStates": []}, 0.0)
    feed.add(changed(1))
    assert not feed.is_news(feed.event(), {"deviceStates": []}, 0.0)


changes = st.one_of(
    st.just(ANY),
    st.builds(
        lambda start, size: Change(TENANT, frozenset(range(start, start + size))),
        st.integers(0, 20_000),
        st.integers(1, 1_000),
    ),
)


@given(st.lists(st.one_of(changes, st.none()), max_size=40))
def test_however_many_changes_come_what_is_kept_is_bounded_and_none_is_lost(steps):
    """None stands for a message that is read; what a change named is told after it."""
    feed = DeviceStates()
    walked(feed)
    owed: set[int | None] = set()
    for change in steps:
        if change is not None:
            feed.add(change)
            owed |= {None} if change.device_ids is None else change.device_ids
        elif feed.due_in(0.0) is not None:
            owed -= told(feed, owed)
        assert len(feed._ids) <= MAX_PENDING
    while feed.due_in(0.0) is not None:
        owed -= told(feed, owed)
    assert not owed


def told(feed, owed):
    event = feed.event()
    feed.is_news(event, {"deviceStates": [1]}, 0.0)
    if event.device_ids is None:
        return set(owed)
    assert len(event.device_ids) <= MAX_PAGE
    return set(event.device_ids)


def test_a_field_of_another_schema_has_no_feed():
    assert feed_of("news", SocketLimits()) is None


def test_the_root_field_is_found_wherever_it_is():
    from graphql import parse

    document = parse(
        """subscription A { ...on Subscription { ...F } } subscription B { energySummary { at } }
        fragment F on Subscription { renamed: deviceStates { id } }"""
    )
    assert root_field(document, "A") == "deviceStates"
    assert root_field(document, "B") == "energySummary"


def test_beyond_so_many_devices_all_that_are_selected_are_told():
    feed = DeviceStates()
    walked(feed)
    for start in range(0, MAX_PENDING + 1, 1_000):
        feed.add(changed(*range(start, start + 1_000)))
    assert feed._ids == set()
    assert feed.event().device_ids is None
