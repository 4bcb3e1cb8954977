import math
import random
from dataclasses import dataclass, replace

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sa1b_captions.quality.features import LINE_BREAKS, measure
from sa1b_captions.quality.rules import MEANINGS, RULES, find_reasons
from sa1b_captions.recipe import load_recipe
from sa1b_captions.recipe.limits import RULES as RULE_NAMES
from sa1b_captions.records import CaptionStatus
from tests.gold.examples import CATCHES, EXAMPLES, FIT
from tests.gold.planting.base import material

LIMITS = load_recipe("internvl").quality.languages
SHORT = {language: replace(limits, min_chars=1) for language, limits in LIMITS.items()}


@dataclass(frozen=True)
class Lengths:
    median_log_chars: float = math.log(300)
    mad_log_chars: float = 0.2


def reasons(*captions, status="ok", language="en", limits=None, reference=None):
    rows = measure(pa.array(captions, pa.string()))
    rows = rows.with_columns(status=pl.lit(status))
    return find_reasons(rows, limits or SHORT[language], reference).to_list()


def test_the_recipe_knows_every_rule_in_order():
    assert tuple(rule.name for rule in RULES) == RULE_NAMES


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_fit_caption_breaks_no_rule(language):
    assert reasons(FIT[language], language=language, limits=LIMITS[language]) == [[]]


@pytest.mark.parametrize(
    "example", EXAMPLES, ids=lambda example: f"{example.rule}-{example.language}"
)
def test_a_rule_passes_its_passing_example_and_it_alone_rejects_the_failing_one(example):
    limits = LIMITS[example.language]
    outlier = example.rule == "length_outlier"
    reference = Lengths(math.log(len(FIT[example.language]))) if outlier else None
    passing, failing = reasons(
        *example.captions, language=example.language, limits=limits, reference=reference
    )
    # Whoever lists things at length repeats words, and whoever loops repeats clauses.
    spare = {"ngram_repetition"} if outlier or example.rule == "too_long" else set()
    if example.rule == "ngram_repetition":
        spare = {"sentence_repetition"}
    assert passing == []
    assert {example.rule} <= set(failing) <= {example.rule} | spare


@pytest.mark.parametrize("language", ["en", "zh"])
def test_sentences_that_look_like_talk_and_describe_are_fit(language):
    groups = {name: by for name, by in material("asides").items() if name.startswith("fit_")}
    said = [sentence for by in groups.values() for sentence in by[language]]
    assert len(said) >= 50
    glue = " " if language == "en" else ""
    captions = [FIT[language] + glue + sentence for sentence in said]
    found = reasons(*captions, language=language, limits=LIMITS[language])
    assert [pair for pair in zip(said, found, strict=True) if pair[1]] == []


def test_every_rule_has_an_example_of_both_languages_in_its_order():
    found = [(example.rule, example.language) for example in EXAMPLES]
    assert found == [(rule.name, language) for rule in RULES for language in ("en", "zh")]


@pytest.mark.parametrize("catch", CATCHES, ids=lambda catch: catch.rule)
def test_every_kind_of_fault_that_the_docs_name_is_caught_by_its_rule(catch):
    for language, glue, texts in (("en", " ", catch.english), ("zh", "", catch.chinese)):
        for text in texts:
            (found,) = reasons(FIT[language] + glue + text, language=language)
            assert catch.rule in found, text


def test_greek_letters_in_units_and_single_letters_are_no_look_alikes():
    assert reasons(f"{FIT['en']} A probe of 5 μm shows Δx at an angle of α, and an И stands.") == [
        []
    ]


@pytest.mark.parametrize("character", LINE_BREAKS)
def test_every_line_break_counts(character):
    assert reasons(f"A red kettle.{character}It stands on a table.") == [["line_break"]]


@pytest.mark.parametrize(
    "tag",
    [
        "<svg/onload=alert(1)>",
        "<iframe/src=x>",
        "<svg/onload=alert(1)",
        "<details/open/ontoggle=x>",
    ],
)
def test_tags_without_a_space_or_an_end_are_markup(tag):
    assert reasons(f"{FIT['en']} A cup {tag} stands there.") == [["markdown"]]


@pytest.mark.parametrize(
    ("language", "form", "slips", "borrowed"),
    [
        (
            "en",
            " A {} stands by the door.",
            "paraguas regenschirm farfalla",
            "sushi gelato azulejo",
        ),
        ("zh", "门边放着一个{}。", "paraguas umbrella fountain", "logo latte pizza vintage"),
    ],
)
def test_one_word_of_another_language_is_a_slip_unless_it_is_borrowed_or_quoted(
    language, form, slips, borrowed
):
    def judged(words):
        return reasons(*(FIT[language] + form.format(one) for one in words), language=language)

    assert judged(slips.split()) == [["wrong_language"]] * 3
    assert judged(f"“{one}”" for one in slips.split()) == [[]] * 3
    assert judged(borrowed.split()) == [[]] * len(borrowed.split())


@pytest.mark.parametrize(
    ("language", "loops", "descriptions"),
    [
        (
            "en",
            [
                "The hall looks warm and welcoming, the stairs look nice, the porch looks warm and "
                "welcoming, the garden looks warm and welcoming, the gate looks warm and "
                "welcoming, and the whole street looks warm and welcoming.",
                "A dog sleeps, hinting that it is late, hinting that all are tired, hinting that "
                "it is late, hinting that all are happy, hinting that it is late.",
            ],
            [
                "One boy wears a red shirt, one boy wears a blue shirt, one boy wears a green "
                "shirt, and one boy wears a white shirt.",
                "The first door is painted green, the second door is painted brown, and the third "
                "door is painted green.",
                "The sign repeats “we are open today, we are open today, we are open today, we "
                "are open today”.",
            ],
        ),
        (
            "zh",
            [
                "门前显得十分冷清，街上显得十分冷清，桥头显得十分冷清，整个码头显得十分冷清。",
                "说明有人刚刚来过，说明这里很热闹，说明有人刚刚来过，说明天色已晚，说明有人刚刚来过。",
            ],
            [
                "一个男孩穿着红色上衣，一个男孩穿着蓝色上衣，一个男孩穿着绿色上衣。",
                "左边的窗台上放着花盆，右边的窗台上放着花盆，中间的窗台上趴着一只猫。",
            ],
        ),
    ],
)
def test_clauses_of_one_template_loop_and_people_described_alike_do_not(
    language, loops, descriptions
):
    glue = " " if language == "en" else ""
    found = reasons(*(FIT[language] + glue + said for said in loops), language=language)
    assert all("ngram_repetition" in of_one for of_one in found), found
    fit = reasons(*(FIT[language] + glue + said for said in descriptions), language=language)
    assert fit == [[]] * len(descriptions)


@pytest.mark.parametrize(
    ("language", "invites", "describes"),
    [
        (
            "en",
            [
                "Let's walk down to the pier.",
                "Let us pause here.",
                "Step into this shop.",
                "(96 words)",
            ],
            [
                "A man lets us see his catch.",
                "Steps lead into this shop.",
                "A box (20 kg) stands by.",
            ],
        ),
        (
            "zh",
            ["让我们走近码头。", "跟随镜头，走上台阶。", "欢迎来到这座小镇。", "（共一百一十字）"],
            [
                "导游带大家来到码头。",
                "他讲了个笑话，让大家笑了。",
                "碑上有字（二十个大字）已经模糊。",
            ],
        ),
    ],
)
def test_a_description_neither_leads_its_reader_nor_counts_its_words(language, invites, describes):
    def judged(said):
        glue = " " if language == "en" else ""
        return reasons(*(FIT[language] + glue + one for one in said), language=language)

    off = [set(of_one) - {"missing_end"} for of_one in judged(invites)]
    assert off == [{"meta_talk"}] * len(invites)
    assert judged(describes) == [[]] * len(describes)


@pytest.mark.parametrize(
    ("slip", "fit"),
    [
        ("屋裏有一盏灯。", "毕昇的塑像旁有一盏灯。"),
        ("他在mǎlù旁等车。", "桌上有一杯café拿铁。"),
        ("她慢慢zhēng kāi眼睛。", "墙上写着“nǐ hǎo”。"),
    ],
)
def test_other_forms_and_pinyin_with_its_tones_are_slips_and_names_are_none(slip, fit):
    captions = [FIT["zh"] + slip, FIT["zh"] + fit]
    assert reasons(*captions, language="zh") == [["wrong_language"], []]


def test_text_that_fills_a_page_is_a_slip_and_its_name_is_none():
    filler = "Duis aute irure dolor in reprehenderit in voluptate velit esse."
    captions = [f"{FIT['en']} {filler}", f"{FIT['en']} A page of lorem ipsum hangs there."]
    assert reasons(*captions) == [["wrong_language"], []]


@pytest.mark.parametrize("text", ["javascript:alert(1)", "${7*7}", "{% if x %}", "#{7*7}"])
def test_what_a_browser_or_a_template_runs_is_markup_unless_a_sign_shows_it(text):
    own = [f"{FIT['en']} A note {text} lies there.", f"{FIT['en']} A note ({text}) lies there."]
    shown = [f'{FIT["en"]} A note "{text}" lies there.', f'{FIT["en"]} One (it reads "{text}").']
    named = f"{FIT['en']} The book JavaScript: The Good Parts costs $20 {{new}}."
    assert reasons(*own, *shown, named) == [["markdown"], ["markdown"], [], [], []]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Sorry, I cannot assist with that request"),
        ("en", "As an AI language model, I drink tea"),
        ("en", "Aaaaaaaaaaaah!"),
        ("zh", "抱歉，我无法协助你的请求"),
        ("zh", "啊啊啊啊啊啊啊啊啊啊啊啊"),
    ],
)
def test_brackets_hold_the_words_of_the_model_unless_they_quote(language, text):
    said = {"en": " A note ({}) lies there.", "zh": "纸条（{}）贴在墙上。"}[language]
    quoted = {"en": ' A note (it reads "{}").', "zh": "纸条贴在墙上（写着“{}”）。"}[language]
    captions = [FIT[language] + form.format(text) for form in (said, quoted)]
    own, sign = reasons(*captions, language=language)
    assert own
    assert sign == []


@pytest.mark.parametrize(
    "token",
    ["<image>", "<img>", "</img>", "<IMG_CONTEXT>", "<|im_end|>", "<|im_start|>", "<Image>"],
)
def test_every_special_token_counts_in_any_case(token):
    assert reasons(f"{token} {FIT['en']}") == [["special_token"]]


def test_length_is_counted_in_characters_not_bytes():
    captions = [FIT["zh"][:60], FIT["zh"][:59]]
    limits = replace(LIMITS["zh"], off=("missing_end",))
    assert reasons(*captions, language="zh", limits=limits) == [[], ["too_short"]]


def test_an_outlier_of_length_is_judged_by_the_reference_alone():
    captions = [FIT["en"], FIT["en"][:100] + ".", FIT["en"][:120] + "."]
    assert reasons(*captions) == [[], [], []]
    assert reasons(*captions, reference=Lengths()) == [[], ["length_outlier"], []]


@pytest.mark.parametrize("status", [s.value for s in CaptionStatus if s != CaptionStatus.OK])
def test_a_row_without_a_caption_has_the_reason_of_its_status_alone(status):
    assert reasons("", None, "cut\nhere", status=status) == [[status]] * 3


@pytest.mark.parametrize("caption", [None, "", "   ", "\n", "...!?" * 8, "。" * 30, "😀😀 — ①"])
def test_a_caption_without_words_is_empty_and_nothing_else(caption):
    assert reasons(caption) == [["empty"]]


def test_a_row_lists_all_its_reasons_in_the_order_of_the_rules():
    caption = "<image>\n" + FIT["en"] * 8 + " and"
    assert reasons(caption, limits=LIMITS["en"]) == [
        [
            *("too_long", "line_break", "special_token", "ngram_repetition"),
            *("sentence_repetition", "missing_end"),
        ]
    ]


def test_a_rule_that_is_off_marks_nothing():
    limits = replace(SHORT["en"], off=("line_break",))
    assert reasons("A red kettle.\nIt stands.", limits=limits) == [[]]


def test_no_rows_give_no_reasons():
    assert reasons() == []


def test_every_reason_has_a_meaning():
    found = {*RULE_NAMES, *(s.value for s in CaptionStatus if s != CaptionStatus.OK)}
    assert found | {"exact_duplicate", "near_duplicate"} == set(MEANINGS)
    assert all(MEANINGS.values())


@settings(max_examples=12, deadline=None)
@given(st.lists(st.text(), max_size=5), st.sampled_from(["en", "zh"]))
def test_any_text_is_judged_by_itself(captions, language):
    """Neither the order of rows nor their neighbours change a row's reasons."""
    together = reasons(*captions, language=language)
    order = random.Random(1).sample(range(len(captions)), len(captions))
    shuffled = reasons(*[captions[row] for row in order], language=language)
    assert shuffled == [together[row] for row in order]
    assert together == [reasons(caption, language=language)[0] for caption in captions]


def listed_one_by_one(rows, limits):
    """What find_reasons says, from each row alone and in the plainest words."""
    found = []
    for row in rows.iter_slices(1):
        if row["status"].item() != CaptionStatus.OK:
            found.append([row["status"].item()])
        elif row["units"].item() == 0:
            found.append([CaptionStatus.EMPTY.value])
        else:
            found.append(
                [
                    rule.name
                    for rule in RULES
                    if rule.name not in limits.off
                    and row.select(broken=rule.breaks(limits, None)).item()
                ]
            )
    return found


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([*(text for one in EXAMPLES for text in one.captions), "", "…"]),
            st.sampled_from([CaptionStatus.OK, CaptionStatus.OK, *CaptionStatus]),
        ),
        max_size=8,
    ),
    st.sampled_from(["en", "zh"]),
    st.frozensets(st.sampled_from(RULE_NAMES)),
)
def test_reasons_of_many_rows_are_those_of_each_alone(drawn, language, off):
    limits = replace(LIMITS[language], off=tuple(off))
    rows = measure(pa.array([text for text, _ in drawn], pa.string())).with_columns(
        status=pl.Series([status.value for _, status in drawn], dtype=pl.String)
    )
    found = find_reasons(rows, limits)
    assert found.dtype == pl.List(pl.String)
    assert found.to_list() == listed_one_by_one(rows, limits)
