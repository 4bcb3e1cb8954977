"""Han letters by what they do in a caption, and pairs of them that may come twice.

Written by hand for this project.
"""

INTRODUCERS = frozenset("写印标刻题绣喷贴名称叫注牌")
"""Letters of words before what a sign says or a thing is called: 写着, 印有, 名为."""

SCRIPTS = frozenset("母字文符")
"""Letters right before letters of another script: 字母Ж."""

ADVERBIALS = frozenset("在位从以和与及并而其把按将由")
"""Letters that begin a phrase, not a clause of its own."""

CONJUNCTIONS = frozenset("和与及或")
"""Letters between the last two items of a list."""

CONJUNCTION_PAIRS = frozenset(["以及", "或者", "或是"])
"""Words of two letters between them."""

STUTTERS = frozenset("的在了着与们到被是有和及并从或")
"""Letters that never come twice in a row but between words of `ACROSS`, or as in 实实在在."""

MEASURES = frozenset("名位个只条张辆头匹群对排些件把座棵盏块台")
"""Letters between a number and what it counts."""

SINGLE = frozenset("个位名把辆台张件")
"""Those of things that stand by themselves: 放着一个一个花瓶 counts twice, 一盏一盏灯 does not."""

_SOUNDING = (
    "啊呀哟呵哈嘿嘻哎喂喔噢哦呜哇喵汪咩哞叽喳咕嘟噜咚咣哐当叮铃啷滴答嗒哒咔嚓嘎吱嘀噼啪吧唧嗡嘣嘭砰"
    "唰嗖呼噗哧嚓轰隆哗啦淅沥滋扑棱骨碌吭哼嗷咯呱嘚"
)
COUNTS = frozenset("一二两三四五六七八九十百千万几半很好越最老" + _SOUNDING)
"""Letters of what is counted, raised or heard, which may come twice: 一朵一朵, 咕嘟咕嘟."""

_VERBS = """
    端详 掂量 扒拉 鼓捣 捶打 拾掇 晾晒 活络 舒展 歇息 见识 热乎 比试 较量 招呼 盘点 热身 张望
    合影 凑合
    将就 归置 感觉 照应 嘱咐 提醒 表现 揉捏 按摩 唠叨 乘凉 遛弯 晃荡 蹦跶 乐呵 忽悠 咂摸 摩挲
    拉扯 搀扶
    研究 休息 打扫 收拾 整理 商量 讨论 交流 学习 考虑 活动 放松 锻炼 散步 走动 打听 打量 比划
    比较 参考
    参观 品尝 欣赏 享受 观察 准备 清理 清洗 调整 检查 询问 了解 认识 解释 介绍 照顾 照看 帮助
    教育 体验
    体会 感受 回忆 回味 思考 琢磨 尝试 练习 切磋 摆弄 拨弄 抚摸 揉搓 搅拌 晃动 摇晃 抖动 敲打
    拍打 庆祝
    祝贺 热闹 高兴 开心 快活 凉快 暖和 轻松 舒服 痛快 安静 清静 亲热 亲近 温暖 滋润 打扮 装扮
    装饰 布置
    修理 修补 维修 擦拭 打磨 暖暖 合计 盘算 溜达 转悠 逗弄 调理 改善 改进 表示 意思 沟通 联络 走访
    """
_COLOURS = """
    老远 老高 老长 精瘦 干瘦 青绿 橘红 橙红 嫣红 殷红 酒红 枣红 紫红 桃红 彤红 暗红 深红 淡紫 浅紫
    淡蓝 浅蓝 淡黄 浅黄 土黄 米白 乳白 纯白 亮白 白净 干净 清爽 水灵 慢悠 晃悠 忽闪 扑闪 着迷
    的哥 亮堂
    雪白 漆黑 乌黑 通红 火红 鲜红 血红 绯红 粉红 碧绿 翠绿 墨绿 嫩绿 油绿 湛蓝 蔚蓝 碧蓝 瓦蓝
    天蓝 深蓝
    金黄 焦黄 嫩黄 蜡黄 银白 洁白 煞白 惨白 灰白 花白 笔直 笔挺 冰凉 冰冷 滚烫 滚圆 溜圆 浑圆
    喷香 锃亮
    雪亮 油亮 透亮 崭新 粉嫩 稀烂 稀碎 瘦长 细长 狭长 黑白 红白 蓝白 绿白 黄黑 红黑
    """
_SOUNDS = """
    叮当 叮咚 滴答 嘀嗒 哗啦 咕噜 呼噜 轰隆 吱呀 噼啪 啪嗒 咔嚓 咕咚 哐当 扑通 呼哧 吧嗒 扑哧
    嘎吱 叽喳
    走着 说着 看着 听着 笑着 聊着 跑着 唱着 转着 等着 写着 想着 哭着 跳着 玩着 坐着 读着 画着
    吃着 飞着 游着
    大片 大块 大把 大朵 大团 大堆 大口 大步 大丛 大簇 大串 大滴 大颗 小口 小步 小块 小团 小片
    小堆 小丛 小朵
    成群 成片 成串 成排 成堆 成行 成团 整片 整排 整块 整箱 整齐
    咯吱 嗡嗡 上下 左右 前后 来回 波拉 帕果 沃拉 库斯 瓦加 特别 非常 许多 无数 真的 慢慢 悄悄
    """
_ACROSS = """
    目的 打的 的士 的确 现在 存在 实在 自在 内在 外在 潜在 所在 好在 旨在 在场 在座 在线 在内
    在意 在于
    在建 在校 在职 除了 为了 了解 了望 了然 了却 了结 了之 着装 着色 着火 着陆 着重 着手 着眼
    着急 着力
    衣着 穿着 沿着 接着 参与 赠与 给与 与会 与众 与否 到处 到底 到达 到访 到来 到期 到站 到位
    周到 被子
    被褥 被单 被套 被面 棉被 我们 咱们 标的 众的 有的 似的
    但是 可是 于是 是否 是非 所有 有人 有些 有时 有限 有趣 有序 有机 有关 有力 有名 有轨 有色
    有线 有效 有说 有条 有大 有高 有老 有男 有红 有白 有的 有意 有益 有害 有氧 有声 有光 有毒
    柔和 温和 暖和 平和 缓和 饱和 祥和 谦和 颐和 总和 共和 中和 随和 调和 亲和 附和 昭和 大和
    和谐 和平 和服 和尚 和睦 和煦 和风 和室 和纸 和弦 和蔼 和解 和牛 和田 和善 和气 和美 和式
    普及 涉及 埃及 以及 及时 及其 及格 及膝 及腰 及肩 及踝 及地
    合并 一并 并排 并列 并肩 并且 并不 并没 并未 并蒂 服从 随从 顺从 侍从 从容 从事 从前 从未 从来
    """
PAIRS = frozenset(f"{_VERBS} {_COLOURS} {_SOUNDS}".split())
"""Verbs, colours and sounds that may come twice."""

ACROSS = frozenset(_ACROSS.split())
"""Words whose letter meets another one's: 目的的, 为了了解, 红色的的士."""

HALTS = frozenset("着在有")
"""Letters that end a verb: nobody says 穿着，穿着."""

SERIES = frozenset("啊了吧呀色地")
"""Letters of what a list may name twice, or what is said twice for emphasis."""
