import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from sa1b_captions.stages.auditing.audit_questions import CACHE_BLOCK_TOKENS, computed_tokens


def test_all_but_the_first_question_find_the_image_in_the_cache():
    prompts, answers = [3460, 3465, 3455, 3470], [2, 2, 2, 2]
    computed = computed_tokens(prompts, answers, shortest_bytes=60)
    assert sum(prompts) - 3 * 3455 < computed
    assert computed < 3470 + 3 * (60 + 2 * CACHE_BLOCK_TOKENS)


def test_one_question_finds_nothing_there():
    assert computed_tokens([3460], [2], 60) == 3462
    assert computed_tokens([], [], 0) == 0


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=12), st.integers(0, 500))
def test_the_cache_never_makes_it_dearer(prompts, shortest):
    answers = [1] * len(prompts)
    computed = computed_tokens(prompts, answers, shortest)
    assert max(prompts) < computed <= sum(prompts) + len(prompts)


def test_the_documented_costs_are_those_of_the_formula():
    text = (Path(__file__).parents[2] / "docs" / "audit.md").read_text(encoding="utf-8")
    captions = audits = plain = 0
    found = re.findall(r"^\| (?:single|multi)_\w+ \|(.*)\|$", text, re.MULTILINE)
    assert len(found) == 4
    for line in found:
        count, prompt, computed, caption, sentences, tokens = map(int, line.split("|"))
        questions, answers = [prompt + 80] * sentences, [2] * sentences
        assert 64 * computed_tokens(questions, answers, 100) == tokens
        captions += count * (computed + caption)
        audits += tokens
        plain += 64 * sum(questions + answers)
    assert f"computes {captions / 1e6:.1f}M tokens and the audit {audits / 1e6:.1f}M" in text
    assert f"{100 * audits / captions:.1f} %" in text
    assert f"the audit would be {100 * plain / captions:.0f} %" in text
