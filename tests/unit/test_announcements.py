"""What announces a text, corrects it or speaks to its reader, and what only sounds so."""

import pytest

from tests.gold.examples import FIT
from tests.unit.test_rules import reasons


def judge(language, before="", after=""):
    """Reasons of a fit caption with something before or behind it."""
    glue = " " if language == "en" else ""
    parts = [part for part in (before, FIT[language], after) if part]
    return reasons(glue.join(parts), language=language)[0]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Here is the improved version, in plainer words:"),
        ("en", "Reworded caption:"),
        ("en", "Option 2:"),
        ("en", "Good question!"),
        ("en", "Edited for length and tone."),
        ("zh", "以下是润色后的版本："),
        ("zh", "这是修订后的描述。"),
        ("zh", "改写如下："),
        ("zh", "最终答案："),
        ("zh", "第三稿，已按意见调整。"),
    ],
)
def test_a_text_that_is_announced_is_meta_talk(language, said):
    assert "meta_talk" in judge(language, before=said)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Hold on, the kettle is green."),
        ("en", "Actually, looking closer, it is not a kettle."),
        ("en", "Picture yourself sitting at this table."),
        ("en", "To your right you would smell the coffee."),
        ("en", "Follow us for more photos."),
        ("en", "Some objects may have been misidentified."),
        ("en", "You are welcome to send me another picture."),
        ("en", "Confidence: medium."),
        ("zh", "等等，那把水壶应该是绿色的。"),
        ("zh", "想象一下你坐在桌前。"),
        ("zh", "喜欢的话记得收藏。"),
        ("zh", "置信度：中。"),
        ("zh", "说完了桌子，再说说窗台。"),
    ],
)
def test_what_corrects_itself_or_speaks_to_the_reader_is_meta_talk(language, said):
    assert "meta_talk" in judge(language, after=said)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "The picture seems to be missing."),
        ("en", "I would rather not describe her."),
        ("en", "The request was not fulfilled."),
        ("zh", "错误：图像为空。"),
        ("zh", "这个忙我帮不上。"),
    ],
)
def test_who_declines_in_other_words_refuses(language, said):
    assert "refusal" in judge(language, after=said)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "A new version of the old tram waits beside the revised timetable."),
        ("en", "The caption below the engraving is in Latin."),
        ("en", "A painter steps back and considers the picture from the left."),
        ("en", "A lecturer explains an updated text on the screen."),
        ("zh", "下面是新版的海报，上面是旧版的海报。"),
        ("zh", "编辑正在修改稿件，译者对照着原文。"),
        ("zh", "任务栏在屏幕底部。"),
        ("zh", "孩子们想象着自己是船长。"),
    ],
)
def test_versions_texts_and_readers_in_the_image_are_fit(language, said):
    assert judge(language, after=said) == []
