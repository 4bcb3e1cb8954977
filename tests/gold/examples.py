"""A caption that passes and one that fails, for each rule and language: documentation and tests.

Most differ from a fit caption only by a sentence at its end, and only that is kept here.
"""

from dataclasses import dataclass

FIT = {
    "en": (
        "The image shows a red kettle on a wooden table beside a white cup and a folded newspaper. "
        "Behind them, a window with thin curtains lets in soft daylight, and a cat sleeps on the "
        "sill. A row of jars stands along the left wall, each with a handwritten label."
    ),
    "zh": (
        "图像中，一把红色水壶放在木桌上，旁边是一只白色杯子和一份折好的报纸。后方的窗户挂着薄窗帘，"
        "柔和的日光照进室内，窗台上睡着一只猫。左侧墙边摆着一排玻璃罐，每只罐子上都贴着手写标签。"
    ),
}
"""A caption of each language that breaks no rule."""


@dataclass(frozen=True, slots=True)
class Example:
    """Two texts of one language, of which one breaks a rule."""

    rule: str
    language: str
    passing: str
    failing: str
    alone: bool = False
    """Whether the texts are whole captions; otherwise they follow a fit one."""

    @property
    def captions(self) -> tuple[str, str]:
        """The whole captions, passing and failing."""
        if self.alone:
            return self.passing, self.failing
        before = FIT[self.language] + (" " if self.language == "en" else "")
        return before + self.passing, before + self.failing


def _long(language: str, sentences: int) -> str:
    """A caption that goes on for so many sentences, as one that lists all it sees."""
    things, places, form, space = _LISTS[language]
    return space.join(
        form.format(things.split()[number % 10], places.split()[number * 7 % 11])
        for number in range(sentences)
    )


_LISTS = {
    "en": (
        "bench lamp fence statue fountain kiosk bicycle awning planter mural",
        "gate stairs pond tower lawn arcade bridge wall tree path door",
        "A grey {} stands by the {}.",
        " ",
    ),
    "zh": (
        "长椅 路灯 栅栏 石像 喷泉 售货亭 自行车 遮阳棚 花箱 壁画",
        "大门 台阶 池塘 塔楼 草坪 拱廊 小桥 围墙 树荫 小径 后院",
        "灰色的{}位于{}旁边。",
        "",
    ),
}

EXAMPLES = (
    Example("too_short", "en", FIT["en"], "A red kettle on a table.", alone=True),
    Example("too_short", "zh", FIT["zh"], "桌上有一把红色水壶。", alone=True),
    Example("too_long", "en", FIT["en"], _long("en", 60), alone=True),
    Example("too_long", "zh", FIT["zh"], _long("zh", 60), alone=True),
    Example("length_outlier", "en", FIT["en"], _long("en", 40), alone=True),
    Example("length_outlier", "zh", FIT["zh"], _long("zh", 45), alone=True),
    Example("line_break", "en", "Light falls on the floor.", "\nLight falls on the floor."),
    Example("line_break", "zh", "地上有光斑。", "\n地上有光斑。"),
    Example("markdown", "en", "The cup carries the text “#1”.", "The cup is **blue**."),
    Example("markdown", "zh", "杯子上印着“#1”。", "杯子是**蓝色**的。"),
    Example("special_token", "en", "A sign “<<” points left.", "<|im_end|> The kettle is red."),
    Example("special_token", "zh", "箭头“<<”指向左侧。", "<|im_end|>水壶是红色的。"),
    Example(
        "refusal",
        "en",
        "A note reads “Sorry, I can’t come in today”.",
        "I'm sorry, but I can't describe the rest of the image.",
    ),
    Example(
        "refusal", "zh", "纸条上写着“抱歉，我今天不在”。", "很抱歉，我无法描述图片的其余部分。"
    ),
    Example(
        "meta_talk",
        "en",
        "A poster reads “As an AI, I drink tea”.",
        "Let me know if you need more details.",
    ),
    Example(
        "meta_talk",
        "zh",
        "海报上写着“作为一个AI，我也喝茶”。",
        "如果您还有其他问题，请随时告诉我。",
    ),
    Example("foreign_script", "en", "A jar is labelled “чай”.", "На полу лежит ковёр."),
    Example("foreign_script", "zh", "罐子上写着“お茶”。", "床の上に絨毯があります。"),
    Example(
        "wrong_language",
        "en",
        "The newspaper is called “Le Monde de la mer”.",
        "地上铺着一块深色的地毯。",
    ),
    Example(
        "wrong_language",
        "zh",
        "报纸名叫《The News of the World》。",
        "There is also a dark rug on the floor of the room.",
    ),
    Example(
        "ngram_repetition",
        "en",
        "Some jars are tall, some jars are low and some jars are empty.",
        "The jars on the wall and the jars on the shelf and the jars on the wall and the jars on "
        "the shelf and the jars on the wall.",
    ),
    Example(
        "ngram_repetition",
        "zh",
        "有的罐子高，有的罐子矮，有的罐子空着。",
        "墙边的罐子和架子上的罐子，" * 5 + "都是空的。",
    ),
    Example(
        "sentence_repetition",
        "en",
        "The kettle has a black handle. The cup has no handle.",
        "A cat sleeps on the window sill. The kettle has a black handle. A cat sleeps on the "
        "window sill.",
    ),
    Example(
        "sentence_repetition",
        "zh",
        "水壶有黑色把手。杯子没有把手。",
        "窗台上睡着一只小猫。水壶有黑色把手。窗台上睡着一只小猫。",
    ),
    Example(
        "word_echo",
        "en",
        "The jars are very, very old.",
        "A red kettle, red kettle, red kettle stands there.",
    ),
    Example("word_echo", "zh", "罐子一个一个地摆着。", "红水壶红水壶红水壶放在那里。"),
    Example("character_run", "en", "A price tag shows 1000000.", "The cat is sooooooooooo small."),
    Example("character_run", "zh", "价签上写着1000000。", "猫很小！！！！！！！！！！！！"),
    Example("missing_end", "en", "A note reads “Back soon”", "On the floor lies a"),
    Example("missing_end", "zh", "纸条上写着“马上回来”", "地上放着一个"),
    Example("replacement_character", "en", "The café menu lies open.", "The cafÃ© menu lies open."),
    Example("replacement_character", "zh", "地上有一块地毯。", "地上有一块地\ufffd。"),
)
"""One of each rule and language, in the order of the rules."""


@dataclass(frozen=True, slots=True)
class Catch:
    """More that a rule catches: each text makes a fit caption before it unfit."""

    rule: str
    english: tuple[str, ...]
    chinese: tuple[str, ...] = ()


CATCHES = (
    Catch(
        "markdown",
        (
            *("Here are 1. a cup 2. a plate 3. a jar.", "The cup is _blue_.", "A cup [1]."),
            *("The cup &amp; the jar.", r"A cup.\nA jar.", "A cup of $r^2$.", "A <b>cup</b>."),
            *('It is {"color": "blue"}.', "Background: a wall.", "See javascript:alert(1)."),
        ),
        ("【背景】一面墙。", "杯子是`蓝色`的。"),
    ),
    Catch(
        "special_token",
        (
            *("A [UNUSED_TOKEN_145] cup.", "<think>A cup.</think>", "A cup at [[12, 30, 40, 56]]."),
            "A cup.<|endoftext|>",
        ),
        ("杯子<box>在桌上。",),
    ),
    Catch(
        "refusal",
        (
            "It is not possible to describe the people.",
            "Describing the person would violate policy.",
        ),
        ("出于隐私原因，无法描述人物。",),
    ),
    Catch(
        "meta_talk",
        (
            *("Would you like to know more?", "Please note that this is a general description."),
            *("User: describe the cup.", "That is all you asked for.", "I hope this helps!"),
        ),
        ("你还想了解什么？", "以上就是对图片的描述。"),
    ),
    Catch("foreign_script", ("The cup is красивый.", "The сup is blue."), ("杯子はきれいです。",)),
    Catch(
        "wrong_language",
        (
            "La tasse est posée sur la table à côté du journal.",
            *("A paraguas stands there.", "The cup，which is blue，stands there."),
        ),
        ("The cup is blue.", "杯子看起来很beautiful。", "牆邊擺著一張舊書桌，上面還放著罐子。"),
    ),
    Catch(
        "sentence_repetition",
        ("The kettle has a black handle, and a cup. The kettle has a black handle, and a jar.",),
    ),
    Catch("word_echo", ("A blue,blue,blue cup.", "The the cup is blue."), ("杯子在在桌上。",)),
    Catch("missing_end", ("A cup, a jar,", "Behind the"), ("杯子旁边还有，",)),
    Catch("replacement_character", ("Itâ€™s a cup.", "A bl\ufffde cup."), ("锟斤拷杯子。",)),
)
"""Of rules that catch more than one kind of fault, in the order of the rules."""
