"""Phrases that give a caption away: refusals, talk about the task instead of the image, guesses.

Refusals and meta talk stand at either end of a text, so only its edges are searched, and without
quotations: a sign in the image may well say "Sorry, we're closed".
"""

import re

import polars as pl

EDGE_CHARS = 240
"""Characters of the opening and of the closing that are searched."""

_IMAGE = r"(?:image|images|picture|pictures|photo|photos|photograph|photographs)\b"
_GIVEN = r"(?:provided|uploaded|shared|attached|sent|given|submitted|supplied)"
_TEXT = r"(?:description|caption|paragraph|response|answer|summary|reply)s?\b"
_I_AM_UNABLE = (
    r"i(?: am|['’]m) (?:unable|not able)|"
    r"i (?:cannot|can['’]t|can not|could not|couldn['’]t|won['’]t)"
)
_FAIL_TO = r"(?:unable to|not able to|cannot|can['’]t|could not|impossible to|not possible to)"
_HANDLE = (
    r"(?:see|view|access|open|load|display|describe|identify|process|analy[sz]e|interpret|show)"
)
_MAKE = (
    r"(?:describe|provide|give|offer|generate|produce|write|create|assist|comment|comply|fulfil+)"
)

REFUSALS = (
    r"\bi(?:['’]m| am) (?:really |so |very |truly |deeply |afraid )?sorry\b|\bi(?:['’]m|"
    r" am) afraid i\b",
    r"\bi (?:must |do |sincerely )?apologi[sz]e\b|\b(?:our|my) apologies\b",
    r"^\W*(?:sorry|apologies|unfortunately|regrettably),? (?:but )?(?:i|we|the|this|there|no|"
    r"it|that)\b",
    rf"\b(?:{_I_AM_UNABLE})\b",
    r"\bi(?:['’]m| am) (?:only |just )?an? (?:text|language)[- ]",
    r"\bi(?:['’]m| am) not (?:permitted|allowed|comfortable|going to|in a position)",
    r"\bi (?:do not|don['’]t) (?:have|see) (?:the ability|access|any|an image|enough)",
    rf"\b{_FAIL_TO} {_HANDLE} (?:the|this|that|any|your|an)? ?(?:contents? of )?(?:the |this )?"
    rf"(?:[a-z]+ )?(?:{_IMAGE}|attachment|file\b)",
    r"\bi (?:will|shall|must|would) not\b|\bi regret\b|\btoo [a-z]+ to be described\b",
    r"\b(?:describing|identifying|naming|captioning)\b[^.!?]{0,40}(?:\bnot\b|n['’]t\b|cannot|"
    r"violat|prohibit)",
    rf"(?:\bnot|n['’]t) (?:be )?(?:possible|permitted|allowed|able|"
    rf"feasible) (?:for me )?to {_MAKE}\b",
    rf"\bno (?:{_IMAGE}|{_TEXT}) (?:to|here)\b",
    rf"\b(?:unable|not able|not possible|impossible|not feasible) (?:for me )?to {_MAKE}\b",
    rf"\bno (?:[a-z]+ )?(?:{_IMAGE}|{_TEXT}) (?:is|was|were|has been|have been|can be|could be) "
    rf"(?:loaded|available|{_GIVEN}|generated|made|found|detected|produced|created|written|"
    rf"offered)",
    rf"\b(?:{_IMAGE}|{_TEXT}) (?:of (?:this|the) {_IMAGE} )?(?:cannot|can['’]t|could not|can not|"
    r"couldn['’]t|may not|is not able to|failed to|must not) "
    r"(?:be )?(?:load|show|display|seen|describ|process|open|provid|generat|given|analy|"
    r"interpret|"
    r"retriev|access|produc|identif|creat|offer)",
    rf"\b{_IMAGE} (?:failed to|is unavailable|is not available|did not load|is corrupted)",
    rf"\b{_TEXT} (?:is|are) (?:not available|unavailable|not possible|withheld)",
    rf"\bplease (?:re-?)?(?:provide|upload|share|attach|send) (?:an?|the|another|your|more) "
    rf"(?:[a-z]+ )?(?:{_IMAGE}|context|information|details)",
    r"\b(?:must |have to |respectfully )?declin(?:e|es|ed|ing) (?:this|the|your|to)\b|"
    r"\bmust decline\b",
    r"\b(?:not|in)(?: be)? ?appropriate (?:for me )?to (?:describe|identify|comment|provide)\b",
    r"\b(?:violat[a-z]+|against|due to|because of|under) (?:[a-z]+ ){0,3}(?:polic(?:y|ies)|"
    r"guidelines)\b",
    rf"\b(?:request|task|{_IMAGE}) (?:cannot|can['’]t|could not) be (?:[a-z]+ )?(?:fulfil|"
    rf"complet|carried|honou?r|proc)",
    r"\b(?:cannot|can['’]t|unable to|not able to) (?:help|assist|comply)\b",
    r"(?:很|非常|十分|真的)?抱歉[，,：:！!。]?\s*(?:我|但|作为|由于|这|该|此|图|您|你|目前|"
    r"无法|不能|暂)",
    r"对不起[，,：:！!。]?\s*(?:我|但|作为|由于|这|该|此|图|您|你|目前|无法|不能|暂)",
    r"(?:很遗憾|不好意思|遗憾的是)[，,]?\s*(?:我|但|作为|这|该|此|图|您|你|目前|无法|不能|暂)",
    r"我(?:目前|暂时|现在|并)?(?:无法|不能|没法|没有办法|不可以|不会|没有能力)",
    r"(?:无法|不能|未能|难以)(?:为您|为你|直接|继续|就此)*(?:对[^，。]{0,12})?"
    r"(?:进行|给出|作出|做出|提供|生成|完成|满足|回答|协助|帮助)[^，。]{0,14}"
    r"(?:描述|说明|请求|要求|分析|回答|信息|内容|服务|帮助|任务)",
    r"无法(?:为您|为你|直接)(?:描述|识别|查看|分析|生成|提供)",
    # Not "cannot see the man's face in the photograph", which describes.
    r"(?:无法|不能|未能)(?:描述|识别|查看|看到|访问|打开|加载|显示|处理|分析|读取|解析)"
    r"(?:出|到)?(?:这[张幅]|该|此|您的|你的|任何)?(?:图[片像]|照片|"
    r"画面)(?:的?内容)?(?:[^中里上内的]|$)",
    r"我?(?:看|读)不(?:到|见|了|出)(?:这[张幅]|该|此|您的|你的|任何)?(?:图[片像]|照片)"
    r"(?:[^中里上内的]|$)",
    r"(?:图[片像]|照片|内容)(?:的?内容)?(?:无法|不能|未能)(?:被|正常|成功)*"
    r"(?:描述|识别|查看|访问|打开|加载|显示|处理|分析|读取|提供|解析)",
    r"无法(?:生成|提供)(?:任何|具体|相关|准确)*的?(?:描述|说明)",
    r"请(?:您|你)?(?:重新)?(?:提供|上传|发送|分享)[^，。！？]{0,8}(?:图|照片|信息)",
    r"我?不便(?:对|为|作|做|作出|做出|进行|描述|回答|提供)|不(?:适宜|宜|适合|予)(?:进行)?描述|"
    r"拒绝(?:描述|回答|提供)",
    r"(?:没有|未|并未)(?:提供|上传|看到|收到|检测到)(?:任何)?(?:图|照片)",
    r"(?:违反|不符合|出于|基于)[^，。]{0,10}(?:政策|规定|准则|规范|隐私保护)",
    r"(?:请求|要求|任务|问题)(?:无法|不能|未能)(?:被)?(?:完成|满足|处理|执行|回答)",
    r"暂(?:时)?(?:不支持|无法|不能|不提供)|我无权|恕(?:我|不|难)|无可奉告",
    r"(?:图[片像]|照片|内容)(?:加载|显示|读取|解析|上传|识别)(?:失败|错误|异常)",
    r"没有(?:可供|任何|可以|能够|需要)?(?:描述|识别|显示|查看)的(?:图|照片)|"
    r"这[张幅](?:图[片像]?|照片)我",
    r"不(?:便)?(?:对[^，。]{0,12}|便)(?:进行)?(?:识别|透露|描述|评论)|(?:因此|所以|故)(?:不能|"
    r"无法|不予)(?:描述|识别|回答)",
    r"(?:无法|不能|难以)(?:作答|回答|确定图|描述[。！])|出于[^，。]{0,8}(?:考虑|原因|"
    r"保护)[，,](?:不|无法|未|我)",
)

META_TALK = (
    r"\bas an? (?:ai|artificial intelligence|(?:large |multimodal )*language model|vision model|"
    r"(?:virtual|ai|visual|helpful|image) assistant)|(?:^|[.!?]\s+)as an assistant,",
    r"^\W*(?:sure|certainly|of course|absolutely|okay|ok|no problem|yes|great|alright|"
    r"understood|got it)"
    r"\b(?: thing)?\s*[!,.:]",
    rf"^\W*(?:here(?:['’]s| is| are)|below is|the following is|this is)\b[^.!?]{{0,60}}\b{_TEXT}",
    r"^\s*(?:[a-z]+ )?(?:description|caption|answer|response|output|paragraph|title|"
    r"summary)\s*[:：]",
    rf"\byou(?:['’]ve| have)? {_GIVEN}",
    r"\b(?:image|images|picture|pictures|photo|photos|photograph|photographs) (?:that )?you\b",
    rf"^\W*(?:based|judging|going) (?:on|from|by) (?:the|this|your|these) (?:[a-z]+ )?{_IMAGE}",
    rf"\bbased on (?:the|this|your|these) (?:[a-z]+ )?{_IMAGE}(?:[,.]| (?:it|there|you|i|we|"
    rf"{_GIVEN})\b)",
    rf"\b(?:the|your) (?:{_GIVEN} {_IMAGE}|{_IMAGE} {_GIVEN}\b)",
    rf"\b(?:this|the above|the following|my|above) {_TEXT} (?:is|was|aims|provides|does|has|"
    rf"avoids|"
    r"adheres|focuses|covers|captures|contains|only|should|may|of the|reflects|highlights|"
    r"serves)",
    r"\bthe (?:description|caption) (?:is based|avoids|adheres|focuses|does not|provides|"
    r"above)\b",
    r"\b(?:speculative content|over-speculation|without (?:any |further )?speculation|"
    r"speculat[a-z]+ (?:has|have|was|were) been|(?:avoid|no)(?:ing|"
    r"s)? (?:[a-z]+ )?speculation)\b",
    r"\bif (?:this|that|anything|something|more|any|further)\b[^.!?]{0,30}(?:needed|required|"
    r"unclear|helpful|else)",
    r"\b(?:above|preceding) (?:text|content)\b|\b(?:assumption|inference)s? (?:beyond|has|"
    r"have|was|were|is|are)\b",
    r"\bbased (?:only|solely|purely|entirely|exclusively|strictly) on\b|"
    r"\bvisible (?:information|content) (?:only|in)\b",
    rf"^\W*(?:here you (?:go|are)|in response|according to (?:the|this|"
    rf"your) (?:[a-z]+ )?{_IMAGE})|\banything else\b",
    r"\bin accordance with\b|\bline breaks?\b|\bsingle[- ]paragraph\b|"
    r"\b(?:word|character) (?:count|limit)\b|\b\d+ words\b\W*$",
    r"\b(?:let me know|feel free to|i hope|hope(?:fully)? th(?:is|at)|happy to (?:help|"
    r"provide|assist|"
    r"elaborate|describe|refine|adjust|revise|add|answer|clarify)|(?:glad|pleased) to (?:help|"
    r"provide|assist|add|"
    r"answer|clarify)|i trust|just ask|tell me|let me|ask me|don['’]t hesitate|do not hesitate|"
    r"just (?:ask|let)|please (?:ask|let|note|feel|be aware|keep in mind|specify|tell|"
    r"remember))\b",
    r"\b(?:is there anything else|if you(?:['’]d like|['’]d prefer| (?:have|need|would like|want|"
    r"wish|require|prefer|are interested))\b|(?:would|do) you (?:like|want|need|have)\b|"
    r"can i (?:help|assist)|how (?:can|may) i\b|should you (?:need|require|have|wish))",
    r"\b(?:i|we)(?:['’]d| would| will|['’]ll| can| could) (?:[a-z]+ )?(?:be happy|be glad|"
    r"describe|provide|"
    r"help|tell|elaborate|assist|expand|gladly)\b",
    r"\b(?:more|further|additional) (?:details?|information|"
    r"context)\b[^.!?]{0,40}\b(?:on request|upon "
    r"request|if needed|if required|can be provided|are available|is needed|you)",
    # A question to the reader, wherever it stands.
    r"\byou(?:r|['’]ve|['’]d|['’]re)?\b[^.!?]*\?",
    r"你[^。！？]*[？?]|(?:还想|还需要?|还要|是否需要|要不要|需不需要)[^。！？，]*[？?]",
    rf"\b(?:my|the|any) (?:earlier|previous|prior|last) {_TEXT}|"
    rf"\b(?:a )?more (?:accurate|precise|detailed|complete|specific) {_TEXT}|"
    r"\b(?:context|information|details?) (?:would be|are|is) (?:needed|required|helpful)\b",
    r"\b(?:keep in mind|it should be noted|be advised|disclaimer|bear in mind)\b",
    r"(?:^|[.!?(]\s*)(?:note|nb|n\.b\.|disclaimer|edit|warning)\s*:",
    r"\b(?:a |purely |only a |just a )?(?:general|generic|generalised|generalized|brief|basic|"
    r"rough|broad|simplified|approximate) (?:description|overview|summary)\b",
    r"\b(?:generated|written|produced|created|missed|captioned|detected) (?:[a-z]+ )?by (?:an? |"
    r"the )?(?:[a-z]+ )?(?:model|ai|algorithm)\b|(?:^|[.!?(]\s*)note that\b",
    rf"\b(?:longer|shorter|simpler|revised|different|second|another) (?:version|{_TEXT})|"
    r"\blet us know\b|\bmy pleasure\b|\bfollow-?up questions?\b|"
    r"\b(?:want|need|shall|should|may) (?:me|i|us|we)\b[^.!?]*\?",
    r"\b(?:does|do|may|might) not (?:include|contain|cover|reflect|represent|capture) (?:any |"
    r"all |the |"
    r"every )?(?:[a-z]+ )?(?:details?|information|speculation|actual)\b",
    r"\b(?:as|per) (?:per )?(?:your|the user['’]?s?|the) (?:request|instruction|prompt|"
    r"guideline)|"
    r"\bas (?:you )?(?:requested|instructed)\b|\b(?:the|your|this) (?:prompt|query)\b|"
    r"\bthe user(?: wants| asked| asks|['’]s? (?:request|prompt|question|instruction))",
    r"\bthank(?:s| you) for (?:your|the|sharing|providing|asking|reading|uploading)|"
    r"^\W*thank you\b",
    r"\b(?:end of|rewritten|revised|translated|translation of the) (?:description|caption|"
    r"version)\b",
    r"\b(?:language model|ai model|ai assistant|chatbot|ai-generated|openai|internvl|chatgpt)\b",
    r"(?:作为|身为|我是)(?:一个|一名|一款|一种)?(?:多模态|大型|虚拟|视觉)?(?:ai|人工智能|"
    r"语言模型|视觉模型|大模型|"
    r"智能助手|助手[，,])",
    r"^\W*(?:当然|好的|没问题|可以的|好呀|明白了?|知道了|收到|好|是的|嗯|了解)(?:可以)?[，,！!。：:]",
    r"(?:以下|下面|如下|这里)(?:是|为|就是)[^，。：:]{0,24}(?:描述|说明|段落|内容|介绍|文字|"
    r"总结|答案|回答)",
    r"(?:以上|上面|上述)(?:就)?(?:是|为)[^，。：:]{0,24}(?:描述|说明|段落|介绍|总结|全部|回答)",
    r"(?:根据|基于|依据|按照|遵照|应)(?:您|你|用户|题目)?(?:所)?(?:的)?(?:提供|给出|上传|发送|"
    r"给定|分享|要求|请求|指示|提示)",
    r"(?:根据|基于|依据)(?:这[张幅]|该|此|图片|图像|照片)[^，。]{0,10}"
    r"(?:描述|信息|内容|[，,]\s*(?:我|可以))",
    r"您|你(?:所)?(?:提供|上传|发送|给出|分享|给定|需要|想要|还有|是否|有什么|想|要不要|觉得|"
    r"认为)",
    r"^\s*(?:图片|图像|照片|画面|单段|中文|详细)*(?:描述|回答|答案|标题|说明|回复|答复|"
    r"输出)(?:如下)?\s*[:：]",
    r"希望能(?:帮|够|对)|^\s*这(?:就)?是(?:对)?[^，。：]{0,10}(?:描述|说明)",
    r"希望(?:这|以上|上述|对您|对你|能|本)[^。！？]{0,20}(?:帮助|满意|需求|要求|参考|有用)",
    r"(?:如果|如|若|倘若)(?:你|用户)?(?:有|需要|需|还|想)[^，。]{0,16}(?:问题|帮助|信息|细节|"
    r"描述|疑问|了解|补充|说明|介绍|解释|提问|要求)",
    r"(?:请|欢迎)?随时(?:告诉|联系|提问|向我|提出|询问|追问)|请(?:告诉|告知|联系|注意|知悉|"
    r"谅解|见谅|参考|说明|指出|问)|"
    r"欢迎(?:继续|进一步|提问|提出|补充|指正)",
    r"(?:这段|本段|以上|上述|本|该|此|这份|这个)(?:图片|图像)?(?:描述|说明文字|回答|文字描述)|"
    r"(?:以上|上述)(?:内容|文字|说明|信息)",
    r"需要(?:注意|说明|指出|强调|提醒)的是|需(?:注意|说明|指出)(?:的是)?[，：:]|(?:^|"
    r"[。！？（(])\s*(?:注意?|备注|提示|说明|声明)[：:]",
    r"(?:仅供参考|仅为(?:一般|大致|概括)|一般性(?:的)?描述|概括性(?:的)?描述|未(?:作|做|"
    r"加)(?:任何)?推测)",
    r"(?:模型|人工智能|ai|助手|机器)(?:自动|根据|生成)",
    r"(?:避免|没有|不含|无|不做|不作|不包含|未包含)(?:了|任何)*(?:过度|主观)?(?:的)?(?:推测|"
    r"猜测|臆测)",
    r"全文|共计?[^，。]{0,8}字[。，）)]|(?:使用|有|无|不)换行|(?:描述|回答)(?:完毕|结束|到此)|(?:字数|提示词)|(?:谢谢|感谢)(?:你|使用|提问|观看|阅读|"
    r"分享|提供)",
    r"(?:语言模型|聊天机器人|人工智能模型|智能助手)",
    r"(?:我|我们)(?:可以|会|将|能|来|很乐意|将会)(?:为|帮|继续|再|进一步|提供|描述|给)",
)

_HAN = re.compile("[\u4e00-\u9fff]")
_CHINESE = tuple(phrase for phrase in REFUSALS + META_TALK if _HAN.search(phrase))
_LATIN = tuple(phrase for phrase in REFUSALS + META_TALK if not _HAN.search(phrase))

LABELS = (
    r"(?:^|[\s.!?。！？…”\")])(?:user|assistant|human|system|bot|gpt|chatgpt|ai|internvl|"
    r"model|q|question|answer)\s?(?:：|:\s)",
    r"(?:用户|助手|人类|系统|机器人|提问|问题|回答|答案|问|答|模型)\s?[:：]",
    r"###? ?(?:human|assistant|user|instruction|response):",
)
"""Who speaks, as transcripts of a conversation have it."""

FIRST_PERSON = (
    r"\bI (?:can|can['’]t|cannot|am|have|do|don['’]t|must|will|would|should|could|think|believe|"
    r"see|notice|assume|only|apologi[sz]e|hope|need|want|guess|suppose)\b|"
    r"\bI['’](?:m|ll|d|ve)\b|\b(?:unknown|unclear|visible|known) to me\b|"
    r"\b[Mm]y (?:apologies|description|response|answer|training|knowledge)\b",
)
"""The model speaks of itself; anywhere but in a quotation, and the capital letter counts."""

_FIRST_PERSON_HAN = r"(?:^|[^自忘敌本唯])我(?:[^们国行军省市校家]|$)"
"""The same, unless it is 我们, 自我, 我国. A class of all other letters is slow to search for, so
only texts that have the character are."""

HTML = (
    *("a", "abbr", "article", "audio", "b", "big", "blockquote", "body", "br", "button", "center"),
    *("cite", "code", "dd", "del", "details", "div", "dl", "dt", "em", "embed", "figcaption"),
    *("figure", "font", "footer", "form", "h[1-6]", "head", "header", "hr", "html", "i", "iframe"),
    *("input", "ins", "kbd", "label", "li", "link", "main", "mark", "meta", "nav", "noscript"),
    *("object", "ol", "option", "p", "pre", "script", "section", "select", "small", "source"),
    *("span", "strike", "strong", "style", "sub", "summary", "sup", "svg", "table", "tbody", "td"),
    *("textarea", "tfoot", "th", "thead", "tr", "tt", "u", "ul"),
)
"""Names of tags that are markup."""

SPECIAL = (
    # Any other tag: <image>, </think>, <|im_end|>, <｜end▁of▁sentence｜>, <0x0A>, <extra_id_0>.
    r"(?i)<[|｜][^<>]{1,40}[|｜]>|(?:<\d{1,4}>){2}|<</?sys>>|<0x[0-9a-f]{2}>|"
    r"</?[a-z][a-z0-9_.:-]{0,40}(?:\s[^<>]{0,200})?/?>|"
    r"\[/?(?:UNUSED_TOKEN_\d+|unused\d+|INST|IMG|IMAGE|SEP|CLS|PAD|MASK|UNK|BOS|EOS|SYS|"
    r"AVAILABLE_TOOLS|TOOL_CALLS|gMASK|sop|eop)(?:_[A-Z]+)?\]|"
    # Boxes: [[12, 30, 400, 560]], (12,30),(400,560).
    r"\[\s*\d+(?:\.\d+)?(?:\s*,\s*\d+(?:\.\d+)?){3}\s*\]|"
    r"\(\s*\d+(?:\.\d+)?\s*,\s*\d+(?:\.\d+)?\s*\)\s*,?\s*\(\s*\d+(?:\.\d+)?\s*,\s*\d+(?:\.\d+)?\s*\)|"
    r"\(\s*\d+(?:\.\d+)?(?:\s*,\s*\d+(?:\.\d+)?){3}\s*\)",
)
"""Markers of chat templates and of grounding; one would break whoever trains on it."""

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


def suspects(captions: pl.Series, han: pl.Series) -> pl.Series:
    """Ascending rows that may have a refusal or meta talk, quotations not yet looked at.

    Args:
        captions: texts.
        han: which of them have Han letters; the others need no Chinese phrases.
    """
    frame = pl.DataFrame({"caption": captions, "han": han})
    text = pl.col("caption")
    colon = text.str.contains(":", literal=True) | text.str.contains("：", literal=True)
    rows = frame.with_columns(
        edges=edges(text), colon=colon, found=text.str.contains("|".join(FIRST_PERSON))
    ).with_row_index("row")
    latin = pl.col("edges").str.contains(_any(_LATIN))
    parts = (
        rows.filter(pl.col("found") | latin),
        rows.filter("han").filter(pl.col("edges").str.contains(_any(_CHINESE))),
        rows.filter(text.str.contains("我", literal=True)).filter(
            text.str.contains(_FIRST_PERSON_HAN)
        ),
        rows.filter("colon").filter(text.str.contains(_any(LABELS))),
    )
    return pl.concat([part["row"] for part in parts]).unique().sort()


def find(captions: pl.Series) -> pl.DataFrame:
    """Refusals and meta talk per caption; its quotations are taken out."""
    text = pl.col("caption")
    few = captions.to_frame("caption").with_columns(edges=edges(text))
    found = few.select(
        refusals=count(pl.col("edges"), REFUSALS),
        meta_talk=count(pl.col("edges"), META_TALK) + count(text, LABELS),
        first_person=text.str.count_matches("|".join((*FIRST_PERSON, _FIRST_PERSON_HAN))).cast(
            pl.Int32
        ),
    )
    # A refusal speaks in the first person by itself.
    spoken = pl.when(pl.col("refusals") == 0).then(pl.col("first_person")).otherwise(0)
    return found.select("refusals", meta_talk=pl.col("meta_talk") + spoken)


def edges(text: pl.Expr) -> pl.Expr:
    """Opening and closing of a text."""
    both = pl.concat_str(text.str.head(EDGE_CHARS), pl.lit(" … "), text.str.tail(EDGE_CHARS))
    return pl.when(text.str.len_chars() <= 2 * EDGE_CHARS).then(text).otherwise(both)


def count(text: pl.Expr, phrases: tuple[str, ...]) -> pl.Expr:
    """How often any of some phrases occurs."""
    return text.str.count_matches(_any(phrases)).cast(pl.Int32)


def count_speculations(text: pl.Expr) -> pl.Expr:
    """How often a caption guesses; a phrase may begin with a capital letter."""
    # Plain literals: the case of every letter would cost 1.5 µs a caption (measured).
    both = dict.fromkeys(form for one in SPECULATIONS for form in (one, one.capitalize()))
    return text.str.count_matches("|".join(both)).cast(pl.Int32)


def _any(phrases: tuple[str, ...]) -> str:
    # Word boundaries of ASCII: Unicode's make the expression 300 times as slow (measured), and
    # between Han and Latin letters they see none.
    return "(?i)" + "|".join(f"(?:{phrase})" for phrase in phrases).replace(r"\b", r"(?-u:\b)")
