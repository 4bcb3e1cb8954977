"""Phrases that give a caption away: refusals, talk about the task instead of the image, guesses.

Refusals and meta talk stand at either end of a text, so only its edges are searched, and without
quotations: a sign in the image may well say "Sorry, we're closed".
"""

import polars as pl

EDGE_CHARS = 200
"""Characters of the opening and of the closing that are searched."""

_QUOTATION = r"""\"[^"]*\"|“[^”]*”|「[^」]*」|『[^』]*』|《[^》]*》"""

_IMAGE = r"(?:image|images|picture|pictures|photo|photos|photograph|photographs)"
_GIVEN = r"(?:provided|uploaded|shared|attached|sent|given|submitted)"
_I_AM_UNABLE = (
    r"i(?: am|['’]m) (?:unable|not able)|i (?:cannot|can['’]t|can not|could not|couldn['’]t)"
)
_FAIL_TO = r"(?:unable to|not able to|cannot|can['’]t)"
_HANDLE = r"(?:see|view|access|open|load|display|describe|identify|process|analy[sz]e)"

REFUSALS = (
    r"\bi(?:['’]m| am) (?:really |so |very |truly |deeply )?sorry\b",
    r"\bi apologi[sz]e\b",
    r"^\W*(?:sorry|my apologies|apologies|unfortunately),? (?:but )?(?:i|we|the|this|there|no)\b",
    rf"\b(?:{_I_AM_UNABLE})\b",
    r"\bi(?:['’]m| am) (?:only |just )?an? (?:text|language)[- ]",
    r"\bi (?:do not|don['’]t) (?:have|see) (?:the ability|access|any|an image|enough)",
    rf"\b{_FAIL_TO} {_HANDLE} (?:the|this|that|any|your|an) (?:\w+ )?{_IMAGE}",
    r"\bunable to (?:assist|help|provide|comply|fulfil|fulfill|generate)\b",
    rf"\bno {_IMAGE} (?:is|was|were|has been|have been) (?:loaded|{_GIVEN})",
    rf"\b{_IMAGE} (?:cannot|can['’]t|could not|couldn['’]t) be (?:loaded|displayed|seen|described|"
    r"processed|opened)",
    rf"\bplease (?:provide|upload|share|attach|send) (?:an?|the|another|your) (?:\w+ )?{_IMAGE}",
    r"(?:很|非常|十分|真的)?抱歉[，,：:！!。]?\s*(?:我|但|作为|由于|这|该|此|图|您|你|目前|无法)",
    r"对不起[，,：:！!。]?\s*(?:我|但|作为|由于|这|该|此|图|您|你|目前|无法)",
    r"(?:很遗憾|不好意思)[，,]?\s*(?:我|但|作为|这|该|此|图|您|你|目前|无法)",
    r"我(?:目前|暂时|现在)?(?:无法|不能|没法|没有办法|不可以)",
    r"无法(?:为您|为你|直接)(?:描述|识别|查看|分析|生成|提供)",
    # Not "cannot see the man's face in the photograph", which describes.
    r"无法(?:描述|识别|查看|看到|访问|打开|加载|显示|处理|分析)(?:这[张幅]|该|此|您的|你的|任何)?"
    r"(?:图[片像]|照片)(?:[^中里上内的]|$)",
    r"无法(?:生成|提供)(?:任何|具体|相关|准确)*的?(?:描述|说明)",
    r"请(?:您|你)?(?:重新)?(?:提供|上传|发送|分享)[^，。！？]{0,8}(?:图|照片)",
    r"\bmust decline\b|\bdecline (?:this|the|your|to)\b",
    r"\bnot (?:be )?appropriate (?:for me )?to (?:describe|identify|comment)\b",
    r"我?不便(?:对|为|作出|做出|进行|描述|回答|提供)|不(?:适宜|宜|适合)描述",
    r"(?:没有|未|并未)(?:提供|上传|看到|收到|检测到)(?:任何)?(?:图|照片)",
)

META_TALK = (
    r"\bas an? (?:ai|artificial intelligence|(?:large |multimodal )*language model|vision model|"
    r"(?:virtual |ai |visual )?assistant)\b",
    r"^\W*(?:sure|certainly|of course|absolutely|okay|ok|no problem|yes|great|alright)\b"
    r"(?: thing)?\s*[!,.:]",
    r"^\W*here(?:['’]s| is| are)\b[^.!?]{0,60}\b(?:descriptions?|captions?|paragraphs?|summary)\b",
    r"^\s*(?:description|caption|answer|response|assistant|output|paragraph|title)\s*[:：]",
    rf"\byou(?:['’]ve| have)? {_GIVEN}",
    rf"\b{_IMAGE} (?:that )?you\b",
    rf"\bbased on (?:the|this|your|these) (?:\w+ )?{_IMAGE}",
    rf"\b(?:the|your) (?:given|uploaded|attached|submitted) {_IMAGE}",
    r"\b(?:this|the above|the following) (?:description|caption|paragraph)\b",
    r"\bthe (?:description|caption) (?:is based|avoids|adheres|focuses|does not|provides|above)\b",
    r"\b(?:speculative content|over-speculation|without (?:any )?speculation)\b",
    r"\bsingle[- ]paragraph\b",
    r"\b(?:let me know|feel free to|i hope th(?:is|at)|hope this helps|happy to help)\b",
    r"\b(?:is there anything else|if you (?:have|need|would like|want) (?:any|more|further|me|to)|"
    r"would you like)\b",
    r"\bi(?:['’]d| would| will|['’]ll) (?:be happy|describe|provide)\b",
    r"\bi can (?:describe|provide|help|tell)\b",
    r"(?:作为|身为|我是)(?:一个|一名|一款|一种)?(?:多模态|大型)?(?:ai|人工智能|语言模型|视觉模型|大模型|"
    r"智能助手|助手)",
    r"^\W*(?:当然|好的|没问题|可以的|好呀|明白了|收到)(?:可以)?[，,！!。：:]",
    r"以下(?:是|为)[^，。：:]{0,24}(?:描述|说明|段落|内容|介绍|文字|总结)",
    r"(?:根据|基于|依据)(?:您|你)?(?:所)?(?:提供|给出|上传|发送|给定|分享)",
    r"(?:根据|基于|依据)(?:这[张幅]|该|此|图片|图像|照片)[^，。]{0,10}"
    r"(?:描述|信息|内容|[，,]\s*(?:我|可以))",
    r"(?:您|你)(?:所)?(?:提供|上传|发送|给出|分享|给定)",
    r"^\s*(?:图片|图像|照片|画面|单段)?(?:描述|回答|答案|标题|说明|回复)(?:如下)?\s*[:：]",
    r"希望(?:这|以上|上述|对您|对你|能)[^。！？]{0,20}(?:帮助|满意|需求|要求)",
    r"如果(?:您|你)(?:有|需要|还|想)",
    r"(?:请|欢迎)?随时(?:告诉|联系|提问|向我)|请(?:告诉|告知)我",
    r"(?:这段|本段|以上|上述|该)描述|(?:以上|上述)(?:内容|文字|说明)",
    r"(?:模型|人工智能|ai)(?:自动|根据|生成)",
    r"(?:避免|没有|不含|无)(?:了|任何)*(?:过度)?推测",
)

FIRST_PERSON = (
    r"\bI (?:can|can['’]t|cannot|am|have|do|don['’]t|must|will|would|should|could|think|believe|"
    r"see|notice|assume|only)\b|\bI['’](?:m|ll|d|ve)\b",
)
"""The model speaks of itself; anywhere but in a quotation, and the capital letter counts."""

SPECULATIONS = (
    "might be",
    "may be",
    "could be",
    "possibly",
    "perhaps",
    "probably",
    "likely",
    "presumably",
    "seems to",
    "appears to be",
    "it is unclear",
    "suggesting",
    "可能",
    "似乎",
    "大概",
    "或许",
    "也许",
    "好像",
    "看起来像",
    "推测",
)
"""Wording that guesses; "The image suggests" is how the model writes, so it is only counted."""


def suspect(text: pl.Expr) -> pl.Expr:
    """Whether a refusal or meta talk may be there, quotations not yet looked at."""
    anywhere = "|".join(FIRST_PERSON)
    return text.str.contains(anywhere) | edges(text).str.contains(_any(REFUSALS + META_TALK))


def unquoted(text: pl.Expr) -> pl.Expr:
    """A text without its quotations, unless next to nothing is left."""
    rest = text.str.replace_all(_QUOTATION, " ")
    return pl.when(rest.str.len_chars() * 2 > text.str.len_chars()).then(rest).otherwise(text)


def edges(text: pl.Expr) -> pl.Expr:
    """Opening and closing of a text."""
    both = pl.concat_str(text.str.head(EDGE_CHARS), pl.lit(" … "), text.str.tail(EDGE_CHARS))
    return pl.when(text.str.len_chars() <= 2 * EDGE_CHARS).then(text).otherwise(both)


def count(text: pl.Expr, phrases: tuple[str, ...]) -> pl.Expr:
    """How often any of some phrases occurs."""
    return text.str.count_matches(_any(phrases)).cast(pl.Int32)


def _any(phrases: tuple[str, ...]) -> str:
    # Word boundaries of ASCII: Unicode's make the expression 300 times as slow (measured), and
    # between Han and Latin letters they see none.
    return "(?i)" + "|".join(f"(?:{phrase})" for phrase in phrases).replace(r"\b", r"(?-u:\b)")
