import contextlib
import heapq
import itertools
import math
import random
import time
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from sa1b_captions.caption.engines.openai.replicas import OVERLOAD, Replica, Replicas


@contextlib.contextmanager
def fleet(size, window=16, *, check=lambda replica: None):
    """Replicas that are all ready."""
    members = [Replica(f"http://{n}", n) for n in range(size)]
    replicas = Replicas(members, check, 5.0, window, 0.001)
    replicas.start()
    try:
        wait_for(lambda: all(member.ready for member in members))
        yield replicas
    finally:
        replicas.close()


def wait_for(condition, limit_s=3.0):
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < limit_s
        time.sleep(0.001)


def room(size, window):
    return math.ceil((1 + OVERLOAD) * window / size)


@settings(deadline=None, max_examples=60)
@given(
    size=st.integers(1, 5),
    window=st.integers(1, 40),
    tracks=st.lists(st.integers(1, 4), min_size=1, max_size=40),
    random=st.randoms(use_true_random=False),
)
def test_tracks_of_an_image_share_a_replica_and_none_is_overloaded(size, window, tracks, random):
    """Whatever order requests finish in. `tracks`: requests of each image, one after the other."""
    first, in_flight = {}, []
    with fleet(size, window) as replicas:
        for image in itertools.chain(*([n] * count for n, count in enumerate(tracks))):
            while len(in_flight) == window or (in_flight and random.random() < 0.4):
                replicas.succeeded(in_flight.pop(random.randrange(len(in_flight))))
            full = {r.url for r in replicas.members if r.in_flight >= room(size, window)}
            replica = replicas.take(f"sa_000000/{image}")
            in_flight.append(replica)
            if first.setdefault(image, replica) is not replica:
                assert first[image].url in full
                first[image] = replica
            assert replica.in_flight <= room(size, window)
        for replica in in_flight:
            replicas.succeeded(replica)


def test_a_campaigns_chinese_follows_english_to_all_but_a_few_images():
    """Four servers with 96 slots, captions of lognormal length; every eleventh image has both."""
    chance = random.Random(0)
    size, window, images = 4, 384, 3000
    ended, saw, missed, peak = [], {}, 0, Counter()
    with fleet(size, window) as replicas:
        now = 0.0
        for image, track in ((n, t) for n in range(images) for t in range(1 + (n % 11 == 0))):
            if len(ended) == window:
                now, _, done = heapq.heappop(ended)
                replicas.succeeded(done)
            replica = replicas.take(f"sa_000000/{image}")
            missed += track == 1 and saw[image] is not replica
            saw[image] = replica
            peak[replica.url] = max(peak[replica.url], replica.in_flight)
            heapq.heappush(
                ended, (now + chance.lognormvariate(0, 0.35), image * 2 + track, replica)
            )
    assert missed == 0
    assert max(peak.values()) <= 96 * 1.05
    assert min(peak.values()) >= 96


def test_what_a_sick_replica_saw_goes_elsewhere_and_later_comes_back():
    well = True

    def check(replica):
        if replica.client == 0 and not well:
            raise ConnectionError("refused")

    with fleet(2, check=check) as replicas:
        sick, other = replicas.members
        other.in_flight = 1
        assert replicas.take("sa_000000/1") is replicas.take("sa_000000/1") is sick
        well = False
        replicas.failed(sick, "reset")
        wait_for(lambda: "refused" in sick.problem)
        replicas.succeeded(sick)  # an answer that was under way does not make it well
        assert [replicas.take("sa_000000/1") for _ in range(4)] == [other] * 4
        well = True
        wait_for(lambda: sick.ready)
        assert replicas.take("sa_000000/2") is sick
        replicas.succeeded(sick)
        assert replicas.take("sa_000000/2") is sick
        assert replicas.take("sa_000000/1") is other


def test_a_replica_that_just_failed_is_not_preferred_for_what_it_saw():
    """It would fail the same request again and again, and the sample would take the blame."""
    with fleet(2) as replicas:
        sick, other = replicas.members
        other.in_flight = 1
        assert replicas.take("sa_000000/1") is sick
        replicas.failed(sick, "HTTP 500")
        wait_for(lambda: sick.ready)
        other.in_flight = 0
        replicas.members[:] = [other, sick]
        assert replicas.take("sa_000000/1") is other


def test_only_recent_images_are_remembered():
    with fleet(2, window=4) as replicas:
        for image in range(200):
            replicas.succeeded(replicas.take(f"sa_000000/{image}"))
        assert len(replicas._saw) == 16
