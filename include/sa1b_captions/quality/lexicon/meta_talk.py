"""How a model talks about the task, its reader or itself instead of the image."""

from sa1b_captions.quality.lexicon.refusals import GIVEN as _GIVEN
from sa1b_captions.quality.lexicon.refusals import IMAGE as _IMAGE
from sa1b_captions.quality.lexicon.refusals import TEXT as _TEXT

ENGLISH = (
    r"\bas an? (?:ai|artificial intelligence|(?:large |multimodal )*language model|vision model|"
    r"(?:virtual|ai|visual|helpful|image) assistant)|(?:^|[.!?]\s+)as an assistant,",
    r"^\W*(?:sure|certainly|of course|absolutely|okay|ok|no problem|yes|great|alright|understood|"
    r"got it)\b(?: thing)?\s*[!,.:]",
    rf"^\W*(?:here(?:['’]s| is| are)|below is|the following is|this is)\b[^.!?]{{0,60}}\b{_TEXT}",
    r"^\s*(?:[a-z]+ )?(?:description|caption|answer|response|output|paragraph|title|"
    r"summary)\s*[:：]",
    rf"\byou(?:['’]ve| have)? {_GIVEN}",
    r"\b(?:image|images|picture|pictures|photo|photos|photograph|photographs) (?:that )?you\b",
    rf"^\W*(?:based|judging|going) (?:on|from|by) (?:the|this|your|these) (?:[a-z]+ )?{_IMAGE}",
    rf"\bbased on (?:the|this|your|these) (?:[a-z]+ )?{_IMAGE}(?:[,.]| (?:it|there|you|i|we|"
    rf"{_GIVEN})\b)",
    rf"\b(?:the|your) (?:{_GIVEN} {_IMAGE}|{_IMAGE} {_GIVEN}\b)",
    rf"\b(?:this|the above|the following|my|above) {_TEXT} (?:is|was|aims|provides|does|has|avoids|"
    r"adheres|focuses|covers|captures|contains|only|should|may|of the|reflects|highlights|serves)",
    r"\bthe (?:description|caption) (?:is based|avoids|adheres|focuses|does not|provides|above)\b",
    r"\b(?:speculative content|over-speculation|without (?:any |further )?speculation|"
    r"speculat[a-z]+ (?:has|have|was|were) been|(?:avoid|no)(?:ing|s)? (?:[a-z]+ )?speculation)\b",
    r"\bif (?:this|that|anything|something|more|any|further)\b[^.!?]{0,30}(?:needed|required|"
    r"unclear|helpful)",
    r"\b(?:above|preceding) (?:text|content)\b|\b(?:assumption|inference)s? (?:beyond|has|have|was|"
    r"were|is|are)\b",
    r"\bbased (?:only|solely|purely|entirely|exclusively|strictly) on\b|\bvisible (?:information|"
    r"content) (?:only|in)\b",
    rf"^\W*(?:here you (?:go|are)|in response|according to (?:the|this|your) (?:[a-z]+ )?{_IMAGE})|"
    rf"\banything else (?:you|i|we|to add)\b",
    r"\bin accordance with (?:the|your) (?:instruct|prompt|request|guidel|polic)|\bline breaks?\b|"
    r"\bsingle[- ]paragraph\b|\b(?:word|character) (?:count|limit)\b|\b\d+ words\b\W*$",
    r"\b(?:let me know|feel free to|i hope|hope(?:fully)? th(?:is|at)|happy to (?:help|provide|"
    r"assist|elaborate|describe|refine|adjust|revise|add|answer|clarify)|(?:glad|pleased) to "
    r"(?:help|provide|assist|add|answer|clarify)|i trust|just ask|tell me|let me|ask me|don['’]t "
    r"hesitate|do not hesitate|just (?:ask|let)|please (?:ask|let|note|feel|be aware|keep in mind|"
    r"specify|tell|remember))\b",
    r"\b(?:is there anything else|if you(?:['’]d like|['’]d prefer| (?:have|need|would like|want|"
    r"wish|require|prefer|are interested))\b|(?:would|do) you (?:like|want|need|have)\b|can i "
    r"(?:help|assist)|how (?:can|may) i\b|should you (?:need|require|have|wish))",
    r"\b(?:i|we)(?:['’]d| would| will|['’]ll| can| could) (?:[a-z]+ )?(?:be happy|be glad|describe|"
    r"provide|help|tell|elaborate|assist|expand|gladly)\b",
    r"\b(?:more|further|additional) (?:details?|information|context)\b[^.!?]{0,40}\b(?:on request|"
    r"upon request|if needed|if required|can be provided|are available|is needed|you)",
    # A question to the reader, wherever it stands.
    r"\byou(?:r|['’]ve|['’]d|['’]re)?\b[^.!?]*\?",
    rf"\b(?:my|the|any) (?:earlier|previous|prior|last) {_TEXT}|\b(?:a )?more (?:accurate|precise|"
    rf"detailed|complete|specific) {_TEXT}|"
    r"\b(?:context|information|details?) (?:would be|are|is) (?:needed|required|helpful)\b",
    r"\b(?:keep in mind|it should be noted|be advised|disclaimer|bear in mind)\b",
    r"(?:^|[.!?(]\s*)(?:note|nb|n\.b\.|disclaimer|edit|warning)\s*:|"
    r"(?:^|[.!?(]\s*)(?:correction|erratum|scratch that|strike that|on second thoughts?)\s*[:,]",
    r"\b(?:a |purely |only a |just a )?(?:general|generic|generalised|generalized|brief|basic|"
    r"rough|broad|simplified|approximate) (?:description|overview|summary)\b",
    r"\b(?:generated|written|produced|created|missed|captioned|detected) (?:[a-z]+ )?by (?:an? |"
    r"the )?(?:[a-z]+ )?(?:model|ai|algorithm)\b|(?:^|[.!?(]\s*)note that\b",
    rf"\b(?:longer|shorter|simpler|revised|different) (?:{_TEXT})|\b(?:longer|shorter) version "
    rf"(?:of (?:this|the) (?:text|desc|capt)|can|is|would|could)|"
    r"\blet us know\b|\bmy pleasure\b|\bfollow-?up questions?\b|\b(?:want|need|shall|should|may) "
    r"(?:me|i|us|we)\b[^.!?]*\?",
    r"\b(?:does|do|may|might) not (?:include|contain|cover|reflect|represent|capture) (?:any |all |"
    r"the |every )?(?:[a-z]+ )?(?:details?|information|speculation|actual)\b",
    r"\b(?:as|per) (?:per )?(?:your|the user['’]?s?|the) (?:request|instruction|prompt|guideline)|"
    r"\bas (?:you )?(?:requested|instructed)\b|\b(?:your|this) (?:prompt|query)\b|"
    r"\byou(?:['’]ve| have)? (?:asked|requested)\b|\bhere you go\b|\banswers? your\b|\bthe prompt "
    r"(?:ask|say|request|want|require|is)|\bthe "
    r"user(?: wants| asked| asks|['’]s? (?:request|prompt|question|instruction))",
    r"\bthank(?:s| you) for (?:your|the|sharing|providing|asking|reading|uploading)|^\W*thank "
    r"you\b",
    r"\b(?:end of|rewritten|revised|translated|translation of the) (?:description|caption|"
    r"version)\b",
    r"\b(?:language model|ai model|ai assistant|chatbot|ai-generated|openai|internvl|chatgpt)\b",
    # The prompt, said again: imperatives that a description never has.
    r"(?:^|[.!?]\s+)(?:please\b|(?:describe|summari[sz]e|generate|write|provide|create|give|"
    r"translate|explain|imagine|guess|list|answer|identify|tell) (?:the|this|an?|what|where|who|"
    r"how|your|only|each|every|me|us|any|it|all|in (?:english|chinese|one|a single|detail))\b|"
    r"(?:do not|don['’]t|avoid|ensure|make sure|be sure|remember to|try to|focus on the|keep it|"
    r"keep the (?:description|text)|enjoy)\b)",
    r"\b(?:your|the) task (?:is|was)\b|\byou are (?:an? |asked|given|requested|a helpful)|"
    r"\bi(?:mage)? captioning\b",
    r"\b(?:this|my) (?:[a-z-]+ )?(?:description|caption|response|answer|summary|output|analysis|"
    r"interpretation|paragraph)\b|\bthis text (?:was|is) (?:written|generated|created|produced|"
    r"meant|intended|limited)",
    r"\bthe (?:description|caption|response|answer|paragraph|output) (?:ends|concludes|stops|is "
    r"(?:based|limited|meant|complete|restricted)|covers|focuses|should|avoids|adheres|above (?:is|"
    r"was|has|does))\b",
    r"\bin (?:this|my|that) (?:description|caption|response|answer|paragraph)\b|\bin the "
    r"(?:description|response)\b|\b(?:mentioned|described|stated) here\b|\bdetails mentioned\b",
    r"\b(?:that|this) (?:concludes|completes|covers everything)\b|(?:^|[.!?]\s+)(?:all of )?the "
    r"above\b|\bfollowing (?:paragraph|description|caption|summary|response|answer)\b",
    r"\blet(?:['’]s| us| me)\b|\bcan be said about\b|\bturning (?:now )?to the description\b",
    r"\bconfidence (?:in this|level|score)|(?:^|[.!?]\s+)translated (?:from|by)\b|\bvisual "
    r"(?:analysis|data)\b|\bpixel data\b|\bobservable (?:facts|elements|content)\b",
    r"\b(?:may|might|could) (?:be inaccurate|not be (?:accurate|exact|correct|complete)|contain "
    r"(?:errors|mistakes|inaccuracies))|\b(?:verified|confirmed|checked) (?:in|from|against) the "
    rf"{_IMAGE}",
    r"\b(?:vision[- ]language|language|ai|captioning|generative|multimodal|text-to-image|image[- "
    r"]generation|neural|diffusion) (?:model|network|system|assistant|tool|algorithm)s?\b|\bby an "
    r"ai\b|\bdatasets?\b|\btraining (?:data|purposes|an? (?:ai|[a-z]+[- ]?(?:to-image )?model))|"
    r"\bas an? (?:[a-z-]+ ){0,3}(?:language|vision|ai)[- ](?:[a-z-]+ )*(?:model|system|assistant)",
    r"\bdear (?:reader|user|viewer)|\bany guesses\b|\bguess what\b|\b(?:for|to|by) the user\b",
    # A question that is none of the image's own: "Can you", "Should the description".
    r"\bhow does (?:that|this) sound\b|(?:^|[.!?]\s+)(?:(?:can|could) (?:you|i|we|anyone|the desc)|"
    r"do|does|did|have|has|would|will|should|shall|isn['’]t|aren['’]t|how about|what about|want|"
    r"need|ready|curious|any) [^.!?]*\?",
    r"(?:^|[.!?]\s+)(?:keywords?|tags|hashtags?|word count|version \d+[^:.!?]*|response|summary|"
    r"attention)\s?: |\bas (?:already )?mentioned\b|\bwhat follows\b|\bthe following is\b|"
    r"\b(?:summary|description|answer|caption) is as follows\b|\bhere comes\b|\bin my (?:opinion|"
    r"view)\b|\bto answer the question\b|\baccording to the (?:instructions?|prompt|task)|\bit is "
    r"hoped\b|\bthe above\b[^.!?]*\b(?:helpful|useful|description)|\bresponse generated\b|\bcheck "
    r"out the\b|\bfor reference,|\bimage \d of \d\b|\b(?:description|"
    r"caption) (?:has been|was) (?:provided|kept|given|written)|\b(?:objective|accurate|complete) "
    r"(?:description|caption) (?:has|was|is|of everything)\b|\bnext paragraph\b",
    # Offers.
    r"\b(?:on|upon) request\b|\bfollow-?up\b|\bquestions? (?:is|are) (?:always )?welcome|\bjust "
    r"say\b|\breach out (?:any ?time|if|to (?:me|us))\b|\byour feedback\b|\bfeedback (?:on|is)\b|"
    r"\bsubscribe\b|\bstay tuned\b|\bpleasure to (?:describe|help|assist|answer)|\bat your "
    r"(?:service|disposal)\b|\bthank(?:s| you) for\b",
    r"\b(?:details?|information|descriptions?|versions?|changes|text)\b[^.!?;]*\bif (?:needed|"
    r"required|preferred|desired|necessary|wished|wanted|requested)\b",
)

CHINESE = (
    r"你[^。！？]*[？?]|(?:还想|还需要?|还要|是否需要|要不要|需不需要)[^。！？，]*[？?]",
    r"(?:作为|身为|我是)(?:一个|一名|一款|一种)?(?:多模态|大型|虚拟|视觉)?(?:ai|人工智能|语言模型|"
    r"视觉模型|大模型|智能助手|助手[，,])",
    r"^\W*(?:当然|好的|没问题|可以的|好呀|明白了?|知道了|收到|好|是的|嗯|了解)(?:可以)?[，,！!。：:"
    r"]",
    r"(?:^|[。！？\n]\s*)(?:以下|下面|如下|这里)(?:是|为|就是)[^，。：:]{0,24}(?:描述|说明|段落|"
    r"内容|介绍|文字|总结|答案|回答)|(?:好的|当然|没问题)[^。]{0,6}(?:以下|下面|这)(?:是|为|就是)",
    r"(?:^|[。！？\n]\s*)(?:以上|上面|上述)(?:就)?(?:是|为)[^，。：:]{0,24}(?:描述|说明|段落|介绍|"
    r"总结|全部|回答)",
    r"(?:根据|基于|依据|按照|遵照|应)(?:您|你|用户|题目)?(?:所)?(?:的)?(?:提供|给出|上传|发送|给定|"
    r"分享|要求|请求|指示|提示)",
    r"(?:根据|基于|依据)(?:这[张幅]|该|此|图片|图像|照片)[^，。]{0,10}(?:描述|信息|内容|[，,]\s*(?:"
    r"我|可以))",
    r"你(?:所)?(?:提供|上传|发送|给出|分享|给定|需要|想要|还有|是否|有什么|想|要不要|觉得|认为)",
    r"^\s*(?:图片|图像|照片|画面|单段|中文|详细)*(?:描述|回答|答案|标题|说明|回复|答复|输出)(?:如下"
    r")?\s*[:：]",
    r"希望能(?:帮|对)|^\s*这(?:就)?是(?:对)?[^，。：]{0,10}(?:描述|说明)",
    r"希望(?:这|以上|上述|对您|对你|能|本)[^。！？]{0,20}(?:帮助|满意|需求|要求|参考|有用)",
    r"(?:如果|如|若|倘若)(?:你|用户)?(?:有|需要|需|还|想)[^，。]{0,16}(?:问题|帮助|信息|细节|描述|"
    r"疑问|了解|补充|说明|介绍|解释|提问|要求)",
    r"(?:请|欢迎)?随时(?:告诉|联系|提问|向我|提出|询问|追问)|请(?:告诉|告知|联系|注意|知悉|谅解|见"
    r"谅|参考|说明|指出|问)|欢迎(?:继续|进一步|提问|提出|补充|指正)",
    r"(?:这段|本段|以上|上述|本|该|此|这份|这个)(?:图片|图像)?(?:描述|说明文字|回答|文字描述)|(?:以"
    r"上|上述)(?:内容|文字|说明|信息)",
    r"需要(?:注意|说明|指出|强调|提醒)的是|需(?:注意|说明|指出)(?:的是)?[，：:]|(?:^|[。！？（(])\s"
    r"*(?:注意?|备注|提示|说明|声明)[：:]",
    r"(?:仅供参考|仅为(?:一般|大致|概括)|一般性(?:的)?描述|概括性(?:的)?描述|未(?:作|做|加)(?:任何)"
    r"?推测)",
    r"(?:模型|人工智能|ai|助手|程序)(?:自动生成|根据|生成)",
    # A correction of itself.
    r"(?:^|[。！？；，]\s*)(?:更正|纠正|修正|勘误|订正)(?:一下|如下|[：:，,])|(?:刚才|刚刚|先前|之前|前面|"
    r"上面)(?:的|所)?(?:说法?|描述|表述)(?:得|的)?(?:有误|不对|不准|错|并不)|(?:说|描述)错了[，。：]|(?:^|"
    r"[。！？]\s*)不对，",
    r"(?:避免|没有|不含|无|不做|不作|不包含|未包含)(?:了|任何)*(?:过度|主观)?(?:的)?(?:推测|猜测|"
    r"臆测)",
    r"全文(?:共|约|不|均|仅|为)|共计[^，。]{0,8}字[。，）)]|共[^，。]{0,3}百[^，。]{0,5}字|(?:使用|"
    r"有|无|不)换行|(?:描述|回答)(?:完毕|结束|到此)|(?:字数|提示词)|(?:谢谢|感谢)(?:你|使用|提问|"
    r"观看|阅读|分享|提供)",
    r"(?:语言模型|聊天机器人|人工智能模型|智能助手)",
    r"(?:我|我们)(?:可以|会|将|能|来|很乐意|将会)(?:为|帮|继续|再|进一步|提供|描述|给)",
    # The prompt, said again.
    r"(?:^|[。！？；]\s*)请[^勿柬帖客神]|，请(?:不要|注意|告|随时|您|你|继续|重新|避免|参考|谅解|"
    r"见谅|放心|根据|确保|尽量|指正|知悉)",
    r"(?:^|[。！？；]\s*)(?:不要|避免|务必|切勿|尽量|确保|要求|任务(?:是|[：:])|输出一|生成一|写一[段个篇]|"
    r"描述(?:时|这|该|一下|图|画面)|猜猜|猜一猜|你猜)",
    r"根据(?:图[片像]?|照片|画面|上图)(?:写|生成|进行描述|回答)|用户(?:希望|要求|想|需要|上传|提供|"
    r"询问|问|请求|的问题|的要求|的?指令)|不少于[^，。]{0,8}字|百[^，。]{0,3}字(?:左右|以[内上])",
    # The description, about itself.
    r"(?:描述|介绍|说明|讲解|分析|解读|回答|叙述)(?:就|也|便|已)?(?:到|至)(?:此|这里|这儿)|(?:描述|"
    r"介绍|回答|解读)(?:完毕|结束|完了|完成)|到此(?:为止|结束)|到这里就(?:结束|是)",
    r"(?:^|[。！？，；]\s*)以上(?:就|便)?(?:是|为)|以上(?:均|皆|所述|描述|回答|便是|就是)|(?:^|"
    r"[。！？；，]\s*)本(?:文(?:共|约|由|描|仅|旨)|次(?:描述|回答|介绍|分析)|段(?:描述|文字|没有)|"
    r"回答|描述)|这(?:段|份)(?:文字|描述|说明|介绍)|该(?:描述|说明(?:适|仅|只|由|基)|回答)",
    r"接下来(?:我|介绍|描述|再?看|说|将|让)|下面(?:我|来|介绍|将|让我)|(?:^|[。！？；，])让我们?(?:"
    r"来|一起|再)?(?:看看|描述|介绍|仔细|走近)|上文(?:提|所|中)|如前所述|这就是[^。]{0,12}(?:内容|"
    r"介绍|描述|全部)",
    r"置信度|像素(?:进行|[作做]出|数据|信息|级)|(?:可能|或许|难免|或)(?:会)?(?:存在|有)(?:一定)?(?:"
    r"误差|错误|偏差|出入|疏漏|遗漏)|与(?:实际|事实)[^。，]{0,6}(?:出入|不同|偏差|差异|不符)",
    r"训练(?:数据|集|样本)|(?:训练|微调)[^。，]{0,8}模型|数据集|文生图|图像生成|(?:视觉|语言|多模态"
    r"|图像)[^。，]{0,4}模型|大模型|神经网络|机器学习|人工智能(?:生成|模型|助手)",
    r"(?:在|从)(?:照片|图[片像]|画面)中(?:得到|加以)?(?:验证|核实|证实)|(?:仅|只)(?:描述|涵盖|限于|"
    r"依据|针对)|(?:可以观察到?|观察到|可观察)的?事实|(?:^|[。！？；，]\s*)答案(?:仅|只|是|如下|"
    r"为)",
    r"(?:未|没有|不)(?:加|作|做|进行|含有?|带|添加|加入|包含)(?:任何)?(?:的)?(?:推断|推测|猜测|"
    r"臆测|主观)",
    # A question to the reader.
    r"(?:大家|各位|读者|朋友们|小伙伴|看官)[^。！？]*[？?]|(?:是否(?:需要|还有|还要|想|要|继续|注意"
    r")|要不要|需不需要|需要|想不想|想要|想知道|可否|还想|还有什么)[^。！？，]*[？?]|(?:要|好|可以|"
    r"行|满意|清楚|知道|注意|看到|看见|看出|发现|猜|帮助|符合|喜欢)[^不难岂何。！？，；]*吗[？?]",
    # Offers.
    r"(?:如|若|如果|假如|倘若)(?:您|你|有|需要?|想要?|还|对|能)[^。！？]{0,16}[，,]?(?:请|"
    r"可以?(?:继续|随时|再|告诉|联系)|欢迎|敬请|随时|告知|尽管|我)|敬请|尽管[问提说告吩]|乐意(?:为|"
    r"效劳|帮)|期待(?:您|你|反馈|与)",
    r"(?:谢谢|感谢)(?:您|你|大家|观看|阅读|使用|收看|支持|欣赏|聆听|浏览)|点赞|关注(?:我|收藏|和|并"
    r")|应要求|(?:可以?|能够?|将)(?:再|继续|进一步)?(?:提供|补充|给出|生成|写出)[^。，]{0,8}(?:版本"
    r"|描述|说明|细节|信息|介绍|回答)",
    r"您|(?:^|[。！？]\s*)(?:关键词|标签|字数|总结|第[一二三]版[^：。]{0,4}|备注|补充)\s?[:：]|"
    r"(?:^|[。！？；，]\s*)以下(?:内容|部分|描述|文字|说明)|(?:正如|如)(?:前面|前文|上面|上文|"
    r"前述)?(?:所说|所述|提到|所示|图所示)|回答(?:这个|该|上述)问题|小编|客官|^亲[，,]|[。！？]亲["
    r"，,]|看看[^。！？]*吧[！!。]|你仔细|(?:总结|概括|描述|说明|介绍)如下|补充说明|(?:讲|描述|介绍"
    r")到(?:这里|此为止)|说完(?:前|背|左|右|上|下|近|中)景?|描述完了|需要指出|一个段落|机器自动(?:"
    r"标注|生成)|在我看来",
)

LABELS = (
    r"(?:^|[\n.!?。！？…”\")][^a-z]?)(?:user|assistant|human|system|bot|gpt|chatgpt|ai|internvl|"
    r"model|q|question|answer)\s?(?:：|:\s)",
    r"###? ?(?:human|assistant|user|instruction|response):",
)
"""Who speaks, as transcripts of a conversation have it, at the start of a sentence."""

LABELS_CHINESE = (
    r"(?:^|[\n。！？”」]\s*)(?:用户|助手|人类|系统|机器人|提问|问题|回答|答案|问|答|模型|图片描述|"
    r"描述|说明)\s?[:：]",
)
"""The same in Chinese."""

FIRST_PERSON = (
    r"\bI (?:can|can['’]t|cannot|am|have|do|don['’]t|must|will|would|should|could|think|believe|"
    r"see|notice|assume|only|apologi[sz]e|hope|need|want|guess|suppose)\b|\bI['’](?:m|ll|d|ve)\b|"
    r"\b(?:unknown|unclear|visible|known) to me\b|\b[Mm]y (?:apologies|description|response|answer|"
    r"training|knowledge)\b",
)
"""The model speaks of itself; anywhere but in a quotation, and the capital letter counts."""

FIRST_PERSON_HAN = r"(?:^|[^自忘敌本唯])我(?:[^们国行军省市校家]|$)"
"""The same, unless it is 我们, 自我, 我国. A class of all other letters is slow to search for, so
only texts that have the character are."""

YOU_AND_ME = r"你[\p{Han}]{1,2}我[\p{Han}]{0,2}|卿卿我我|物我|舍我其谁|尔虞我诈|我行我素"
"""Idioms in which nobody speaks: 你追我赶."""

RHETORICAL = (
    r"[^.!?]*\b(?:wonder(?:s|ing)?|ask(?:s|ing)? (?:itself|oneself|himself|herself)|as if (?:to "
    r"ask|asking)|who could|who would|what could be)\b[^.!?]*\?",
    r"[^。！？你您]*(?:怎能|怎不|岂|难道|何尝|何不|谁(?:能|不|会|又)|不禁|(?:在|想要?|要)问|不由得|"
    r"忍不住|好奇|究竟)[^。！？你您]*[？?]",
)
"""Questions that describe: the reader is not to answer them."""
