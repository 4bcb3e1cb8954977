import time

from sa1b_captions.process import cpu_lap_s
from sa1b_captions.receipts import IngestReceipt
from sa1b_captions.release.card.cpu_spent import CpuSpent, cpu_spent


def receipt(cpu_s):
    return IngestReceipt(
        shard="sa_000000", images=1, problems={}, archive_bytes=1, cpu_s=cpu_s, content=None
    )


def test_minutes_are_added_up_by_stage_and_by_all():
    found = cpu_spent({"ingest": [receipt(60.0), receipt(30.0)], "curate": [receipt(6.0)]})
    assert found == CpuSpent({"ingest": 1.5, "curate": 0.1}, told=3, receipts=3)
    assert found.in_words() == "Beside the model it took 1.6 CPU minutes: ingest 1.5, curate 0.1."


def test_receipts_that_say_nothing_are_counted_and_no_stage_is_said_to_be_free():
    found = cpu_spent({"ingest": [None, receipt(None)], "curate": [receipt(12_000.0)]})
    assert found.in_words() == (
        "Beside the model it took 200 CPU minutes: curate 200; 2 of 3 receipts do not say what "
        "theirs took."
    )


def test_where_no_receipt_says_anything_the_card_does_not_either():
    assert cpu_spent({"ingest": [receipt(None)]}).in_words() == ""


def test_laps_add_up_to_what_the_process_took():
    cpu_lap_s()
    began = time.process_time()
    while time.process_time() < began + 0.05:
        pass
    assert 0.05 <= cpu_lap_s() < 1
    assert cpu_lap_s() < 0.05
