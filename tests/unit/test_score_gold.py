import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sa1b_captions.chance import wilson
from scripts import score_gold
from tests.gold.planted import planted
from tests.gold.planting.base import good_captions

GOOD = good_captions("en")[0]
KEYS = ["faulty", "faulty_rejected", "fit", "fit_rejected", "precision", "recall"]


def row(caption_id="a", text=GOOD, expected=(), language="en", **more):
    fields = {"id": caption_id, "language": language, "text": text, "expected": list(expected)}
    return fields | more


def write(path, rows):
    path.write_text("".join(json.dumps(fields, ensure_ascii=False) + "\n" for fields in rows))
    return str(path)


def run(tmp_path, capsys, rows):
    """Exit code and last line of a run over these rows."""
    code = score_gold.main([write(tmp_path / "captions.jsonl", rows)])
    printed = capsys.readouterr().out
    return code, json.loads(printed.rstrip("\n").split("\n")[-1])


def test_a_file_is_counted_right(tmp_path, capsys):
    zh = good_captions("zh")[0]
    rows = [
        row("fit"),
        row("fit zh", zh, language="zh"),
        row("fit, but marked", GOOD + "\n" + GOOD),
        row("found", "A cat.", ["too_short"]),
        row("found for another reason", "A dog.", ["meta_talk"], optional=["too_short"]),
        row("missed", good_captions("en")[1], ["refusal"]),
        row("may be marked", "A hen.", optional=["too_short"]),
    ]
    code, last = run(tmp_path, capsys, rows)
    assert code == 0
    assert list(last) == KEYS
    assert last == {
        "faulty": 3,
        "faulty_rejected": 2,
        "fit": 4,
        "fit_rejected": 1,
        "precision": 0.666667,
        "recall": 0.666667,
    }


def test_what_has_no_divisor_is_one(tmp_path, capsys):
    _, last = run(tmp_path, capsys, [row()])
    assert (last["faulty"], last["precision"], last["recall"]) == (0, 1, 1)


def test_an_empty_text_is_judged_like_any(tmp_path, capsys):
    _, last = run(tmp_path, capsys, [row(text="", expected=["empty"])])
    assert last["faulty_rejected"] == 1


def test_mistakes_are_named_and_no_text_is_printed(tmp_path, capsys):
    path = write(tmp_path / "captions.jsonl", [row("missed", expected=["refusal"])])
    score_gold.main([path])
    printed = capsys.readouterr().out
    assert "`refusal` missed missed" in printed
    assert GOOD[:30] not in printed


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ("\xff", "not JSON"),
        (json.dumps({"id": "b"}), "lacks 'language'"),
        (json.dumps({"id": "b", "language": "en", "text": ""}), "lacks 'expected'"),
        (json.dumps(row("b", expected=["ugly"])), "no rule with 'ugly'"),
        (json.dumps(row("b", optional=["ugly"])), "no rule with 'ugly'"),
        (json.dumps(row("b", language="de")), "language 'de' is unknown"),
        (json.dumps(row("b") | {"expected": "refusal"}), "must be a list"),
        (json.dumps(row("b") | {"text": None}), "'text' must be a string"),
        (json.dumps(row("b", text="\ud800")), "half a character"),
        (json.dumps(row("")), "'id' must be"),
        (json.dumps(row()), "id 'a' is also on line 1"),
        (json.dumps(row("b", expected=["refusal"], optional=["refusal"])), "both"),
    ],
)
def test_a_bad_line_is_one_sentence_with_file_and_line(tmp_path, capsys, line, complaint):
    path = tmp_path / "captions.jsonl"
    path.write_bytes(json.dumps(row()).encode() + b"\n\n" + line.encode("latin-1") + b"\n")
    assert score_gold.main([str(path)]) == 65
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert f"{path}, line 3: " in printed.err
    assert complaint in printed.err


def test_a_file_that_is_missing_or_empty_is_said_so(tmp_path, capsys):
    assert score_gold.main([str(tmp_path / "none.jsonl")]) == 65
    assert "none.jsonl cannot be read" in capsys.readouterr().err
    (tmp_path / "empty.jsonl").write_text("\n")
    assert score_gold.main([str(tmp_path / "empty.jsonl")]) == 65
    assert "holds no caption" in capsys.readouterr().err


def test_help_states_the_format(capsys):
    with pytest.raises(SystemExit):
        score_gold.main(["--help"])
    printed = capsys.readouterr().out
    assert all(word in printed for word in ["expected", "optional", "exit code 65", *KEYS])


def test_the_page_names_no_caption_of_the_test_half():
    page = score_gold.PAGE.read_text()
    hidden = [found for found in planted("en") + planted("zh") if found.split == "test"]
    assert not [found.id for found in hidden if f" {found.id}" in page]
    assert not [found.id for found in hidden if found.text in page]


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (5, 10, 0.2366, 0.7634),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_wilson_intervals_are_those_of_the_literature(hits, of, low, high):
    assert wilson(hits, of) == pytest.approx((low, high), abs=5e-5)


@given(of=st.integers(1, 5000), data=st.data())
def test_a_wilson_interval_holds_the_share_and_narrows(of, data):
    hits = data.draw(st.integers(0, of))
    low, high = wilson(hits, of)
    assert 0 <= low <= hits / of <= high <= 1
    wide = wilson(hits, of)
    narrow = wilson(hits * 4, of * 4)
    assert narrow[1] - narrow[0] < wide[1] - wide[0]
    mirrored = wilson(of - hits, of)
    assert mirrored == pytest.approx((1 - high, 1 - low))


def test_nothing_tried_says_nothing():
    assert wilson(0, 0) == (0, 1)
