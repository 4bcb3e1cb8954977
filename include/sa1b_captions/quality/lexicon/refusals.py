"""How a model declines to describe an image, in words that no description has."""

IMAGE = r"(?:image|images|picture|pictures|photo|photos|photograph|photographs)\b"
GIVEN = r"(?:provided|uploaded|shared|attached|sent|given|submitted|supplied)"
TEXT = r"(?:description|caption|paragraph|response|answer|summary|reply)s?\b"
_I_AM_UNABLE = (
    r"i(?: am|['’]m) (?:unable|not able)|i (?:cannot|can['’]t|can not|could not|couldn['’]t|"
    r"won['’]t)"
)
_FAIL_TO = r"(?:unable to|not able to|cannot|can['’]t|could not|impossible to|not possible to)"
_HANDLE = (
    r"(?:see|view|access|open|load|display|describe|identify|process|analy[sz]e|interpret|show)"
)
_MAKE = (
    r"(?:describe|provide|give|offer|generate|produce|write|create|assist|comment|comply|fulfil+)"
)
_NEVER = (
    r"cannot|can['’]t|can not|could not|couldn['’]t|won['’]t|will not|shall not|may not|must not|"
    r"unable|not (?:be )?(?:able|possible|permitted|allowed|appropriate|feasible|advisable|"
    r"willing)|declin(?:e|es|ed)|refus(?:e|es|ed)|impossible|prohibited|forbidden"
)
_WILL_NOT = (
    r"cannot|can['’]t|can not|could not|will not|won['’]t|may not|must not|should not|shall not"
)
_FEW = r"(?: [a-z'’-]+){0,3} "
_NEVER_HAN = (
    "无法|不能够?|不便|不宜|不可以?|不予以?|不会|不得|不[作做]|不再|不方便|不适合|不支持|不允许|"
    "未能|没能|没法|没有办法|"
    "拒绝|恕不|恕难|禁止|暂不|无权"
)
_FEW_HAN = r"[^。，！？；用言的]{0,8}"

ENGLISH = (
    r"\bi(?:['’]m| am) (?:really |so |very |truly |deeply |afraid )?sorry\b|\bi(?:['’]m| am) "
    r"afraid i\b",
    r"\bi (?:must |do |sincerely )?apologi[sz]e\b|\b(?:our|my) apologies\b",
    r"^\W*(?:sorry|apologies|unfortunately|regrettably),? (?:but )?(?:i|we|the|this|there|no|it|"
    r"that)\b",
    rf"\b(?:{_I_AM_UNABLE})\b",
    r"\bi(?:['’]m| am) (?:only |just )?an? (?:text|language)[- ]",
    r"\bi(?:['’]m| am) not (?:permitted|allowed|comfortable|going to|in a position)",
    r"\bi (?:do not|don['’]t) (?:have|see) (?:the ability|access|any|an image|enough)",
    rf"\b{_FAIL_TO} {_HANDLE} (?:the|this|that|any|your|an)? ?(?:contents? of )?(?:the |this "
    rf")?(?:[a-z]+ )?(?:{IMAGE}|attachment|file\b)",
    r"\bi (?:will|shall|must|would) not\b|\bi regret\b|\btoo [a-z]+ to be described\b",
    r"\b(?:describing|identifying|naming|captioning)\b[^.!?]{0,40}(?:\bnot\b|n['’]t\b|cannot|"
    r"violat|prohibit)",
    rf"(?:\bnot|n['’]t) (?:be )?(?:possible|permitted|allowed|able|feasible) (?:for me )?to "
    rf"{_MAKE}\b",
    rf"\bno (?:{IMAGE}|{TEXT}) (?:to|here)\b",
    rf"\b(?:unable|not able|not possible|impossible|not feasible) (?:for me )?to {_MAKE}\b",
    rf"\bno (?:[a-z]+ )?(?:{IMAGE}|{TEXT}) (?:is|was|were|has been|have been|can be|could be) "
    rf"(?:loaded|available|{GIVEN}|generated|made|found|detected|produced|created|written|offered)",
    rf"\b(?:{IMAGE}|{TEXT}) (?:of (?:this|the) {IMAGE} )?(?:cannot|can['’]t|could not|can not|"
    r"couldn['’]t|may not|is not able to|failed to|must not) (?:be )?(?:load|show|display|seen|"
    r"describ|process|open|provid|generat|given|analy|interpret|retriev|access|produc|identif|"
    r"creat|offer)",
    rf"\b{IMAGE} (?:failed to|is unavailable|is not available|did not load|is corrupted)",
    rf"\b{TEXT} (?:is|are) (?:not available|unavailable|not possible|withheld)",
    rf"\bplease (?:re-?)?(?:provide|upload|share|attach|send) (?:an?|the|another|your|more) "
    rf"(?:[a-z]+ )?(?:{IMAGE}|context|information|details)",
    r"\b(?:must |have to |respectfully )?declin(?:e|es|ed|ing) (?:this|the|your|to)\b|\bmust "
    r"decline\b",
    r"\b(?:not|in)(?: be)? ?appropriate (?:for me )?to (?:describe|identify|comment|provide)\b",
    r"\b(?:violat[a-z]+|against|due to|because of|under) (?:[a-z]+ ){0,3}(?:polic(?:y|ies)|"
    r"guidelines)\b",
    rf"\b(?:request|task|{IMAGE}) (?:cannot|can['’]t|could not) be (?:[a-z]+ )?(?:fulfil|complet|"
    rf"carried|honou?r|proc)",
    r"\b(?:cannot|can['’]t|unable to|not able to) (?:help (?:with|you)|assist|comply)\b",
    # Whoever declines, by the deed: not able to describe, will not be discussed.
    rf"\b(?:{_NEVER}){_FEW}\b(?:describ(?:e|ed|ing)|disclos(?:e|ed|ing)|divulge[d]?|comment|comply|"
    rf"answer(?:ed)?|elaborate|speculate|name (?:the|any|real|who)|guess (?:the|who)|recogni[sz]e "
    rf"(?:real|any|individual|specific|people|faces|persons)|identify (?:real|any|individual|"
    rf"people|persons|individuals|faces|who|the (?:people|persons?|individuals?)))\b(?: [^a]| "
    rf"a[^s]|\W|$)",
    rf"\b(?:{_NEVER}){_FEW}\b(?:assist|process) (?:this|that|the (?:image|picture|photo|request)|"
    rf"with "
    r"(?:this|that|the request|your|identif))",
    rf"\b(?:{_WILL_NOT}) be(?: [a-z]+ly)? (?:discussed|disclosed|divulged|commented|named|given "
    rf"(?:here|"
    r"for)|shared (?:here|with)|provided|offered|fulfilled|released|stated|supplied|answered)\b",
    r"\b(?:names?|identit(?:y|ies)|identification|(?:personal )?(?:information|details|data)|"
    r"(?:real )?(?:individuals|persons|people))\b[^.!?;]*\b(?:(?:is|are|was|were|has been|have "
    r"been) (?:not (?:disclosed|given|named|provided|shared|permitted|allowed|stated|possible)|"
    r"withheld|redacted)|(?:have|has) been left out)\b",
    r"(?:^|[.!?]\s+)(?:revealing|disclosing|providing|giving|sharing|stating|commenting|"
    r"identifying|describing|naming|guessing|speculating)\b[^.!?;]*\b(?:(?:is|are|would be) (?:not|"
    r"against|beyond|outside|inappropriate|prohibited|forbidden)|isn['’]t|cannot|not something)\b",
    r"\bno (?:names?|identit[a-z]+|assistance|comment[a-z]*|answer|response|statement|help|"
    r"(?:further |additional |more |personal |other )+(?:details?|information|descriptions?|"
    r"comments?|data))(?: [a-z]+){0,5} (?:given|provided|offered|made|stated|supplied|possible|"
    r"shared|available)\b",
    r"\bnothing (?:more|further|else) (?:can|may|could|will|should) be (?:said|stated|described|"
    r"disclosed|added|told|shared)\b",
    # By who declines.
    rf"\b(?:(?:this|the) (?:model|system|service|tool|program|assistant|ai)|assistant|ai)\b "
    rf"(?:[a-z]+ )?(?:{_NEVER}|does not|do not|doesn['’]t|declines|refuses){_FEW}\b(?:recogni|"
    rf"identif|describ|"
    r"comment|support|access|process|disclos|answer|reveal|discuss|speculat|interpret|view|see "
    r"(?:the |this )?(?:image|picture|photo))",
    r"\bthis (?:assistant|ai|language model|chatbot) (?:is|was|does|can|cannot|will|may|only|must|"
    r"should)\b",
    r"\b(?:outside|beyond|exceeds?) (?:of )?(?:the|my|its|this) (?:scope|capabilit[a-z]+|"
    r"abilit[a-z]+) of (?:this|an?|the) (?:model|system|assistant|ai|tool|program|service)|\bnot "
    r"something (?:that )?(?:this|i|we|the (?:model|system|assistant))\b",
    r"\bmy (?:capabilit|abilit|knowledge|training|guidelines|instructions|programming|polic|"
    r"developers|creators)",
    # By what is asked or shown.
    r"\b(?:your|this|that) request\b|\bthe request (?:is|was|has|cannot|could|can|will|must)\b",
    rf"\baccess to (?:the|this) (?:{IMAGE}|file|content)[^.!?;]*\b(?:denied|blocked|restricted|"
    rf"refused)",
    rf"\b(?:{TEXT})(?: of [^.!?;]*)? (?:is|are|was|were) (?:not possible|impossible|unavailable|"
    rf"not "
    r"available|withheld|refused)",
    rf"(?:^|[.!?]\s+)(?:sorry|apologies|my apologies)\b|\b(?:rest|remainder) of the (?:{IMAGE}|"
    rf"{TEXT}) "
    r"(?:cannot|could not|can['’]t|couldn['’]t|will not|failed)",
    r"\b(?:in|not )appropriate to (?:guess|speculate|discuss|assume|name|make (?:any "
    r")?assumptions)\b",
    r"\b(?:cannot|can['’]t) (?:confirm|state|disclose|say) who (?:he|she|they|the)\b|\b(?:content|"
    r"request) (?:is|was|has been|blocked)[^.!?;]*\b(?:not supported|not permitted|not allowed|"
    r"unsupported|filter(?:ed|s)?|blocked)\b|\bsafety filter|\bcontent blocked\b|\breal persons\b",
    r"\b(?:violat|breach)[a-z]* (?:his|her|their|anyone['’]s|the) privacy\b|\bno further "
    r"(?:description|analysis|comment)|\bassistant has (?:chosen|decided) not to\b|\b(?:an attempt|"
    r"attempting) to identify (?:the|any) (?:man|woman|person|people|individual)|\berror: |"
    r"\b(?:not|n['’]t) (?:be )?(?:right|fair|proper|wise) to (?:comment|guess|speculate|describe|"
    r"identify)|\b(?:outside|beyond) what can be\b|\b(?:image|file|picture|photo|half|"
    r"part)[^.!?;]*\b(?:has|have|could|can|will) not (?:been |be )?(?:described|processed|"
    r"analy[sz]ed)\b",
    r"\b(?:image|picture|photo|file|attachment) (?:appears|seems) to be (?:missing|corrupt|empty|"
    r"broken|unavailable|blank)|\bplease (?:re-?)?(?:upload|attach|resend|send) (?:it|them|again)"
    r"\b|"
    r"\bno (?:image|picture|photo|file|attachment)s? (?:[a-z]+ )?(?:attached|included|to view)\b",
    r"\bi(?:['’]d| would)? (?:rather|prefer|choose|have chosen) (?:not|to refrain)\b|\bi (?:lack|h"
    r"ave "
    r"no (?:way|means)|refrain|abstain)\b|\b(?:possible|able|allowed|permitted) for me to\b|\bfor "
    r"me "
    r"to (?:describe|identify|view|see|say|process|name|guess)\b",
    r"\b(?:guessing|speculating|assuming|naming|stating|identifying)\b[^.!?;]{0,40}\b(?:would not|"
    r"wouldn['’]t|is not|isn['’]t|cannot|inappropriate|left out|omitted)\b|\b(?:the|this) (?:task|"
    r"request|prompt|query|operation) (?:cannot|can['’]t|could not|failed|is not|has been|was not)"
    r"\b",
    r"\bas a matter of policy\b|\bin compliance with\b|\b(?:tell|inform) you\b|\bnothing (?:can|"
    r"may) be (?:said|stated)\b",
)

CHINESE = (
    r"(?:很|非常|十分|真的)?抱歉[，,：:！!。]?\s*(?:我|但|作为|由于|这|该|此|图|您|你|目前|无法|"
    r"不能|暂)",
    r"对不起[，,：:！!。]?\s*(?:我|但|作为|由于|这|该|此|图|您|你|目前|无法|不能|暂)",
    r"(?:很遗憾|不好意思|遗憾的是)[，,]?\s*(?:我|但|作为|这|该|此|图|您|你|目前|无法|不能|暂)",
    r"我(?:目前|暂时|现在|并)?(?:无法|不能|没法|没有办法|不可以|不会|没有能力)",
    r"(?:无法|不能|未能|难以)(?:为您|为你|直接|继续|就此)*(?:对[^，。]{0,12})?(?:进行|给出|作出|"
    r"做出|提供|生成|完成|满足|回答|协助|帮助)[^，。]{0,14}(?:描述|说明|请求|要求|分析|回答|信息|内"
    r"容|服务|帮助|任务)",
    r"无法(?:为您|为你|直接)(?:描述|识别|查看|分析|生成|提供)",
    # Not "cannot see the man's face in the photograph", which describes.
    r"(?:无法|不能|未能)(?:描述|识别|查看|看到|访问|打开|加载|显示|处理|分析|读取|解析)(?:出|到)?(?"
    r":这[张幅]|该|此|您的|你的|任何)?(?:图[片像]|照片|画面)(?:的?内容)?(?:[^中里上内的]|$)",
    r"我?(?:看|读)不(?:到|见|了|出)(?:这[张幅]|该|此|您的|你的|任何)?(?:图[片像]|照片)(?:[^中里上内"
    r"的]|$)",
    r"(?:图[片像]|照片)(?:的?内容)?(?:无法|不能|未能)(?:被|正常|成功)*(?:描述|识别|查看|访问|打开|"
    r"加载|显示|处理|分析|读取|提供|解析)",
    r"无法(?:生成|提供)(?:任何|具体|相关|准确)*的?(?:描述|说明)",
    r"请(?:您|你)?(?:重新)?(?:提供|上传|发送|分享)[^，。！？]{0,8}(?:图|照片|信息)",
    r"我?不便(?:对|为|作|做|作出|做出|进行|描述|回答|提供)|不(?:适宜|宜|适合|予)(?:进行)?描述|拒绝("
    r"?:描述|回答|提供)",
    r"(?:没有|未|并未)(?:提供|上传|看到|收到|检测到)(?:任何)?(?:图|照片)",
    r"(?:请求|要求|任务|问题)(?:无法|不能|未能)(?:被)?(?:完成|满足|处理|执行|回答)",
    r"暂(?:时)?(?:不支持|无法|不能|不提供)|我无权|恕(?:我|不|难)|无可奉告",
    r"(?:图[片像]|照片|内容)(?:加载|显示|读取|解析|上传|识别)(?:失败|错误|异常)",
    r"没有(?:可供|任何|可以|能够|需要)?(?:描述|识别|显示|查看)的(?:图|照片)|这[张幅](?:图[片像]?|"
    r"照片)我",
    r"不(?:便)?(?:对[^，。]{0,12}|便)(?:进行)?(?:识别|透露|描述|评论)|(?:因此|所以|故)(?:不能|无法|"
    r"不予)(?:描述|识别|回答)",
    r"(?:无法|不能|难以)(?:作答|回答|确定图|描述[。！])|出于[^，。]{0,8}(?:考虑|原因|保护)[，,](?:"
    r"不|无法|未|我)",
    # 不再展开描述, 不便公开: whoever declines, by the deed.
    rf"(?:{_NEVER_HAN}){_FEW_HAN}(?:描述|回答|作答|回应|答复|解答|透露|披露|公开|公布|评论|置评|"
    rf"泄[露漏]|"
    r"点评|解读|协助|讨论|展开(?:描述|说明|讨论)|说出[他她其]|说明[其他她身]|提供[^。，！？]{0,6}(?"
    r":信息|描述|说明|帮助|服务|姓名|身份|细节|协助)|识别[^。，！？]{0,6}(?:人物|身份|人脸|真实|面"
    r"孔)|辨认[^。，！？]{0,4}(?:身份|照片中|图中)|推测[其他她身年种职]|处理(?:该|此|这|请求|图|本)"
    r"|进行(?:描述|识别|分析|评论|解读|推测)|获取[^。，！？]{0,4}(?:图|内容|信息))",
    r"做不到(?:对|描述|识别|解读|回答)|超出了?(?:我|本|该)?(?:助手|模型|系统|我)?的?[^。，]{0,4}能"
    r"力|(?:人物|个人|身份|当事人)[^。！？]{0,10}(?:不予|不便|不得|恕|不作|不做|不能提供|不可提供)",
    # By who declines.
    r"(?:^|[。！？；，]\s*)本(?:模型|系统|助手|程序|平台|服务|ai|人工智能)|了本(?:助手|模型|系统)|"
    r"系统(?:无法|不能|不支持|暂不|拒绝|不会)",
    r"(?:^|[。！？；，]\s*)(?:很|非常|十分|真的?|深感|实在)*(?:抱歉|对不起)",
    r"(?:此|该|这)(?:类|个|一)?(?:问题|请求|要求|操作)[^。，！？]{0,6}(?:不|无法|未|超出)",
    r"拒绝(?:处理|生成|识别|分析)|恕(?:不|难|我|无)|(?:系统|已被|被)过滤|身份[^。，！？]{0,4}保密|"
    r"(?:剩余|其余|部分)[^。，]{0,6"
    r"}(?:解析|加载|识别)[^。，]{0,3}失败|内容审核|受(?:能力|权限|篇幅)[^。，]{0,4}所限|不具备[^。"
    r"，！？]{0,8}能力|(?:无法|不能|不便)[^。，]{0,4}发表|(?:这里|此处|在此)(?:就|先|不|予以?)?(?:"
    r"作|做)?(?:略过|省略|猜测|跳过|从略)",
    r"(?:错误|异常|警告|报错)\s?[：:]|(?:未|没有?)(?:能)?(?:找到|检测到|收到|获取到?|上传)(?:任何)"
    r"?(?:图|照片)|"
    r"(?:任务|请求|操作)(?:无法|不能|未能|失败|被拒)|帮不(?:上|了)|爱莫能助|无能为力",
)

REASONS_ENGLISH = (
    r"\b(?:privacy|confidentiality|data[- ]protection|legal|policy|ethic[a-z]*|content) "
    r"(?:reasons?|concerns?|considerations?|grounds|restrictions?|polic(?:y|ies)|rules?|"
    r"guidelines?|filters?)\b",
    r"\b(?:safety|security) (?:reasons|concerns|grounds)\b[^.!?;]*\b(?:describ|discuss|disclos|"
    r"identif|comment|request|answer|name)|\b(?:request|descri|answer)[^.!?;]*\b(?:safety|"
    r"security) (?:reasons|concerns|grounds)\b",
    r"\bprivacy\b[^.!?;]*\b(?:names?|identit|details|information|describ|discuss|disclos|comment|"
    r"speculat)|\b(?:names?|identit|describ|discuss|disclos|comment)[^.!?;]*\bprivacy\b",
)
REASONS_CHINESE = (
    r"(?:根据|按照?|依照|依据|出于|基于|由于|因为?|涉及|遵守|遵循|违反|受|为了|为尊重|为保护|鉴于|"
    r"考虑到|包含)[^。！？]{0,12}(?:隐私|权限|政策|法律|法规|规范|准则|规定|条例|敏感|不当内容|合规"
    r"|安全(?:考虑|方面|限制|策略|原因)|当事人的保护)[^。！？]*(?:不|无法|恕|拒绝|省略|未|禁止|避免"
    r"|删去|隐去)[^。！？]*(?:描述|回答|识别|公开|公布|不能展示|讨论|评论|透露|省略|告知|回应|披露|"
    r"提供[^。]{0,4}信息|获取图|作答|说明其)",
    r"(?:细节|信息|姓名|身份|内容)[^。！？]{0,4}(?:已被|已经?|被)(?:省略|隐去|删去|略去|屏蔽)",
    r"(?:违反|不符合|出于|基于)[^，。]{0,10}(?:政策|规定|准则|规范|隐私保护)",
    r"个人信息[^。！？]*不(?:能|便|予|可|会|得)",
)
"""Why a model declines, which is also why somebody blurred a face: not beside that."""

HIDDEN = (
    r"[^.!?。！？]*\b(?:blurr|pixelat|obscur|mosaic|censor|masked|frosted|"
    r"anonymi[sz])[^.!?。！？]*",
    r"[^。！？]*(?:模糊|马赛克|打码|遮挡|遮住|虚化|看不清|磨砂|像素化)[^。！？]*",
)
"""Sentences about what is hidden in the image."""
