"""Words of talk: about the task, its rules and its words, each weighed by how it tells.

Written by hand for this project. A sentence of a description may have one or two of the lighter
ones; `kernels.language` adds up a sentence's weights.
"""

_LIGHT = """
    accuracy accurate afraid answer answers appropriate assist assistant assumed assuming
    attempt available avoided capabilities capability caption captions censored comment
    commented comments comply confirm confirmed confirming content declines disabled discuss
    discussed discussing error errors ethical ethics exclude excluded explain explained explains
    facts forbidden further generate guess guessed helpful identify identifying identity implied
    infer inferred instruction instructions intended interpret judge judgement minors naming
    offensive omit permission permitted persons policy precise privacy prohibited prompt
    question questions reader readers reasons recognition reference refuse refused refuses
    regulations request requested requests respond response restricted rules scope sensitive
    sorry stated statement stating summary thank thanks topic topics training unable
    unfortunately user users verified verify version violate
    """
_MIDDLE = """
    accurately aforementioned algorithm analyse analysed analysis analyze analyzed apologies
    assumption assumptions clarified clarify commenting conclude concludes confidential declined
    declining describe described describing description descriptions disclosing factual
    generated guesses guessing guesswork guideline guidelines identification identities
    inaccurate inappropriate inference inferences interpretation keyword mentioned observable
    omitted opinion paragraph paragraphs please policies regrettably respectfully speculate
    speculation speculations subjective summarise summarised summarize summarized unanswered
    undescribed unsupported violates violating violation withheld
    """
_HEAVY = """
    chatbot clarification confidentiality dataset disclaimer disclose disclosed divulge divulged
    inaccuracies inaccuracy keywords llm uploaded
    """

_LIGHT_HAN = """
    介绍 回答 回应 公布 隐私 身份 姓名 信息 要求 问题 规定 规则 规范 违反 拒绝 遗憾 不便 不宜
    不作 推断
    主观 客观 评价 评论 发表 解释 识别 审核 过滤 跳过 支持 模型 助手 提示 指示 标签
    以下 如上 准确 错误 偏差 参考 各位 读者 谢谢 感谢 希望 协助 咨询 提问 其余 剩余 至此
    限制 说明 涉及 判断 相关 符合 合适 请求 原因 事实 前述 提到 描述 能力 版本 法律 标注
    """
_MIDDLE_HAN = """
    作答 答复 透露 保密 敏感 准则 政策 条款 条例 法规 违规 抱歉 猜测 臆测 点评 意见 解析
    解读 屏蔽
    隐去 省略 略过 略去 权限 用户 算法 生成 指令 段落 本段 全文 上文 下文 前文 总结 概括 概述
    误差 有误 你们 反馈 说完 讲完 完毕 到此 失败 不详 不予 恕不 未经 授权 合规
    """
_HEAVY_HAN = "披露 字数 键词 小编 客官 仅供"

WEIGHTS = {
    word: weight
    for weight, words in enumerate((_LIGHT, _MIDDLE, _HEAVY), 1)
    for word in words.split()
}
"""English ones in lower case, from 1 to 3."""

PAIR_WEIGHTS = {
    pair: weight
    for weight, words in enumerate((_LIGHT_HAN, _MIDDLE_HAN, _HEAVY_HAN), 1)
    for pair in words.split()
}
"""Chinese ones, of two letters each."""
