"""Conversations step by step, and keeping up with a person's wishes."""

import pytest
from errors import SafelightError
from flow import Ask, Talk
from latest import Latest


class Bridge:
    """Notes what it is asked; the test answers."""

    class Request:
        def __init__(self, command, fields, on_result, on_error, on_event):
            self.command, self.fields = command, fields
            self.on_result, self.on_error, self.on_event = on_result, on_error, on_event
            self.ended = False

    def __init__(self):
        self.asked, self.rows, self.cancelled = [], [], []

    def request(self, command, fields, payload, *, on_result, on_error, on_event):
        self.asked.append(self.Request(command, fields, on_result, on_error, on_event))
        return self.asked[-1]

    def send_rows(self, request, plane, data):
        self.rows.append((request.command, plane, data))

    def cancel(self, request):
        self.cancelled.append(request.command)


class Told:
    def __init__(self):
        self.ends = []

    def __call__(self, outcome, error):
        self.ends.append((outcome, error))


@pytest.fixture
def bridge():
    return Bridge()


@pytest.fixture
def told():
    return Told()


def talk(bridge, conversation, told, later=None):
    return Talk(bridge, conversation, told, later or (lambda call: call()))


def two_questions():
    first = yield Ask("first", {"n": 1})
    second = yield Ask("second", {"n": first["n"] + 1})
    return second["n"]


def test_answers_go_to_where_they_were_asked_for(bridge, told):
    talk(bridge, two_questions(), told)
    bridge.asked[0].on_result({"n": 10})
    assert bridge.asked[1].fields == {"n": 11}
    bridge.asked[1].on_result({"n": 20})
    assert told.ends == [(20, None)]


def test_an_error_is_raised_where_it_was_asked_for(bridge, told):
    def careful():
        try:
            yield Ask("first")
        except SafelightError as error:
            return error.reason

    talk(bridge, careful(), told)
    bridge.asked[0].on_error(SafelightError("LOST", "It is lost."))
    assert told.ends == [("LOST", None)]


def test_an_error_that_nobody_expects_is_the_end(bridge, told):
    talk(bridge, two_questions(), told)
    bridge.asked[0].on_result({})
    assert isinstance(told.ends[0][1], KeyError)


def test_rows_are_made_one_by_one_when_there_is_time(bridge, told):
    waiting = []

    def sending():
        yield Ask("document", rows=((f"plane {n}", b"x") for n in range(3)))

    talk(bridge, sending(), told, waiting.append)
    assert len(bridge.rows) == 1
    while waiting:
        waiting.pop()()
    assert [plane for _, plane, _ in bridge.rows] == ["plane 0", "plane 1", "plane 2"]


def test_rows_that_cannot_be_made_are_the_end(bridge, told):
    def broken():
        yield "pixels", b"x"
        raise ValueError("the layer is gone")

    def sending():
        yield Ask("document", rows=broken())

    talk(bridge, sending(), told)
    assert isinstance(told.ends[0][1], ValueError)


def test_cancel_ends_at_once_and_late_answers_are_passed_over(bridge, told):
    running = talk(bridge, two_questions(), told)
    running.cancel()
    assert bridge.cancelled == ["first"]
    assert told.ends[0][1].reason == "CANCELLED"
    bridge.asked[0].on_result({"n": 1})
    assert len(told.ends) == len(bridge.asked) == 1


def question(name):
    def ask():
        return (yield Ask(name))

    return ask


@pytest.fixture
def latest(bridge, told):
    return Latest(lambda conversation, end: talk(bridge, conversation, end), told)


def test_the_newest_wish_follows_when_the_running_one_is_done(bridge, told, latest):
    for name in ("a", "b", "c"):
        latest.ask(question(name), cost="same")
    assert [r.command for r in bridge.asked] == ["a"]
    bridge.asked[0].on_result({"is": "a"})
    assert [r.command for r in bridge.asked] == ["a", "c"]
    bridge.asked[1].on_result({"is": "c"})
    assert [outcome["is"] for outcome, _ in told.ends] == ["a", "c"]
    assert not latest.busy


def test_what_would_be_in_vain_is_cancelled(bridge, told, latest):
    latest.ask(question("a"), cost=1)
    latest.ask(question("b"), cost=2)
    assert bridge.cancelled == ["a"]
    bridge.asked[1].on_result({"is": "b"})
    assert [outcome["is"] for outcome, _ in told.ends] == ["b"]


def test_stopping_leaves_nothing(bridge, told, latest):
    latest.ask(question("a"), cost=1)
    latest.ask(question("b"), cost=1)
    latest.stop()
    assert bridge.cancelled == ["a"]
    assert told.ends == []
    assert not latest.busy


def test_errors_are_told_and_the_next_wish_still_comes(bridge, told, latest):
    latest.ask(question("a"), cost=1)
    latest.ask(question("b"), cost=1)
    bridge.asked[0].on_error(SafelightError("LOST", "It is lost."))
    assert told.ends[0][1].reason == "LOST"
    assert bridge.asked[-1].command == "b"


def test_a_talk_that_became_pointless_ends_with_the_reason(bridge, told):
    running = talk(bridge, two_questions(), told)
    running.fail(SafelightError("IMAGE_CLOSED", "It is closed."))
    assert bridge.cancelled == ["first"]
    assert told.ends[0][1].reason == "IMAGE_CLOSED"


def test_an_event_that_cannot_be_taken_is_the_end(bridge, told):
    def asking():
        yield Ask("first", on_event=lambda event, fields, payload: fields["missing"])

    talk(bridge, asking(), told)
    bridge.asked[0].on_event("progress", {}, b"")
    assert isinstance(told.ends[0][1], KeyError)
    assert bridge.cancelled == ["first"]
