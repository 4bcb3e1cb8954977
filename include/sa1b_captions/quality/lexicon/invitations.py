"""How a model takes its reader by the hand, or counts its words: a description does neither."""

_START = r"(?:^|[.!?][”\"’)]* +)"
_THERE = r"(?:this|an?|our|my|the (?:world|heart|magic|charm|beauty|realm|land|life|bustl|vibrant))"
_TENS = r"(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred)"

ENGLISH = (
    # "Let us step into", "Let's take a look"
    rf"{_START}(?:(?:so|now|come|okay|and|then|first|next),? )?let(?: us|['’]s) (?:[a-z]+ly )?"
    r"(?:take|step|look|start|begin|explore|dive|delve|imagine|see|go|move|turn|walk|enter|travel|"
    r"zoom|focus|describe|consider|examine|find|wander|head|visit|have|admire|not|linger|pause|"
    r"follow|join|discover|appreciate|immerse|picture|stroll|journey|shift|return|talk|meet)\b",
    rf"{_START}(?:step|dive|delve|journey|travel|wander|venture) (?:right |deep |back )?(?:into|"
    rf"inside|with (?:me|us)|through) {_THERE}|{_START}welcome to {_THERE}|{_START}(?:come|join) "
    r"(?:along |and )?(?:with )?(?:me|us)\b|\b(?:image|picture|photo(?:graph)?) "
    r"(?:[a-z]+ )?(?:takes|carries|brings|leads|invites|transports) us\b",
    rf"{_START}(?:take|have) (?:a|another) (?:(?:closer|good|quick|careful|moment) )?(?:look|peek|"
    rf"glance|moment to)\b|{_START}(?:look (?:closely|closer|carefully|at (?:the|this|how|that))|"
    rf"notice (?:how|that|the)|observe how|see for yourself|feast your)\b",
    # "(85 words)", "(Word count: eighty-five)"
    rf"\((?:[a-z]+:? ){{0,2}}(?:\d+|(?:[a-z]+[- ]){{0,2}}{_TENS}(?:[- ][a-z]+){{0,3}}) (?:words|"
    r"characters|tokens)(?: (?:in )?(?:total|all))?[.)]\W*$",
)

CHINESE = (
    r"(?:^|[。！？]\s*)(?:那么?|现在|接着|接下来|下面|首先|然后)?[，,]?让(?:我们|咱们)|"
    r"(?:^|[。！？；，]\s*)(?:请)?(?:跟随|跟着|随着?)(?:(?:我们?的?)?镜头|(?:我们?|笔者)的?)|"
    r"(?:^|[。！？]\s*)(?:快来|一起来?|一同)(?:走进|走近|看看|领略|探寻|感受)|"
    r"(?:^|[。！？]\s*)欢迎(?:来到|走进)|(?:图[像片]?|照片|画面|镜头)(?:将|会|仿佛)?(?:带|把)(?:着)?"
    r"(?:我们|大家)(?:走进|走近|领略|带[入到进]|来到|感受|穿越|进入)",
    # （共八十五字）
    r"[（(](?:[全本]文|字数)?[：:]?(?:大?约|共计?|总计|合计)*(?:[0-9０-９]{2,}|"
    r"[一二三四五六七八九十百零〇两]{2,})(?:余|多|来)?(?:个)?(?:汉字|字符?|词)(?:左右|以[内上])?[）)]\W*$",
)
