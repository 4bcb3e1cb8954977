"""Slips within a good caption, and what looks like one."""

import pytest

from tests.gold.examples import FIT
from tests.unit.test_rules import reasons


def judge(language, said):
    """Reasons of a fit caption with one more sentence."""
    glue = " " if language == "en" else ""
    return reasons(FIT[language] + glue + said, language=language)[0]


@pytest.mark.parametrize(
    ("language", "said", "reason"),
    [
        ("en", "A potter sits there, sus manos cubiertas de barro.", "wrong_language"),
        ("en", "A girl waits, la mano apoyada sobre sus rodillas.", "wrong_language"),
        ("en", "Two men rest, con le mani nelle tasche.", "wrong_language"),
        ("en", "The nаmes of sponsors hang there.", "foreign_script"),
        ("en", "The ΝAMES of sponsors hang there.", "foreign_script"),
        ("en", "A sign reads 「LUCKY STAR」 there.", "wrong_language"),
        ("en", "The book 《Hamlet》 lies there.", "wrong_language"),
        ("en", "It rises by 5％ there.", "wrong_language"),
        ("en", "A boy is holding, holding a kite.", "word_echo"),
        ("en", "Beside him lies a satchel, satchel, and a flask.", "word_echo"),
        ("en", "A barn stands near, near the creek.", "word_echo"),
        ("zh", "脚边放着水壶，水壶，和一顶草帽。", "word_echo"),
        ("zh", "盘子里有橙子、橙子和葡萄。", "word_echo"),
        ("zh", "男子正在，正在擦拭镜头。", "word_echo"),
        ("zh", "柜台上摆着一个一个青花罐子。", "word_echo"),
        ("zh", "岸边有一艘有一艘渔船。", "word_echo"),
        ("en", "A goat stands there ש and chews.", "foreign_script"),
        ("en", "A goat д and a kid stand there.", "foreign_script"),
        ("zh", "一头山羊ك在吃草。", "foreign_script"),
        ("en", "Beside it, un giovane pastore plays a flute.", "wrong_language"),
        ("en", "There une grande dame waves.", "wrong_language"),
        ("en", "The door is abierta and dark.", "wrong_language"),
        ("en", "A child leans on the Geländer there.", "wrong_language"),
        ("zh", "整个房间显得十分 serene。", "wrong_language"),
        ("zh", "墙面是minimal的风格。", "wrong_language"),
        ("zh", "一只风筝（120, 44, 310, 260）挂在树上。", "special_token"),
        ("zh", "一只风筝（120，44），（310，260）挂在树上。", "special_token"),
        ("zh", "桌上有一只杯子[图片]。", "special_token"),
        (
            "en",
            "On the bench lie a rasp, a file, a plane, a rasp, a file, a plane, a rasp, a file, a "
            "plane and a vice.",
            "ngram_repetition",
        ),
        (
            "zh",
            "架上有毛笔、砚台、宣纸、镇纸、毛笔、砚台、宣纸、毛笔、砚台、宣纸和镇纸。",
            "ngram_repetition",
        ),
        ("en", "Correction: it is a mule.", "meta_talk"),
        ("en", "Scratch that, it is a mule.", "meta_talk"),
        ("zh", "更正一下，那是一头骡子。", "meta_talk"),
        ("zh", "刚才的说法有误，那是一头骡子。", "meta_talk"),
        ("zh", "地面是是龟裂的土。", "word_echo"),
        ("zh", "桌面漆成白色和和金色。", "word_echo"),
        ("zh", "石桌旁坐着坐着两位老人。", "word_echo"),
        ("zh", "右侧的人穿着穿着随意的衣服。", "word_echo"),
        ("zh", "垄上种着bai cai和萝卜。", "wrong_language"),
        ("zh", "一名护士正把bai cai递过去。", "wrong_language"),
        ("zh", "卡片上印着菜å•，字很小。", "replacement_character"),
        (
            "en",
            "The first mask is painted with white and red pigment and has horns. The second mask "
            "is painted with white and red pigment and smiles. The third one is painted with "
            "white and red pigment and has lost an ear.",
            "sentence_repetition",
        ),
        (
            "en",
            "A basket lies there, and the sky is clear with only a few thin clouds. A balloon "
            "rises, and the sky is clear with only a few thin clouds around it.",
            "sentence_repetition",
        ),
        (
            "zh",
            "屋檐下挂着一排红灯笼，院门半掩。槐树枝叶茂密，屋檐下挂着一排红灯笼。",
            "sentence_repetition",
        ),
        (
            "zh",
            "一楼有四扇白色边框的窗户，二楼有四扇白色边框的窗户，三楼有四扇白色边框的窗户。",
            "sentence_repetition",
        ),
        ("en", "A stall sells hats, hats and scarves.", "word_echo"),
        ("en", "They carry bags, bags or boxes.", "word_echo"),
        ("zh", "摊位上卖帽子、帽子以及围巾。", "word_echo"),
        ("zh", "摊位上卖帽子，帽子或围巾。", "word_echo"),
        ("en", "A yacht lies there, its white, white, hull gleaming.", "word_echo"),
        ("zh", "釉色洁白，洁白，瓶身绘有花纹。", "word_echo"),
        ("en", 'He sits in front of a shop called "Marks &amp; Daughters".', "markdown"),
        ("zh", "招牌上写着“张记&amp;李记”。", "markdown"),
        ("zh", "石阶上有一只猫。修改后的版本如下：石阶上有猫。", "meta_talk"),
        ("en", "A dog watches from the sombra of a doorway.", "wrong_language"),
        ("en", "A boy follows con a stick in his hand.", "wrong_language"),
        ("en", "A few pengyou sit on a wall.", "wrong_language"),
        ("en", "A bicycle leans against the Fensterbrett there.", "wrong_language"),
        ("zh", "水面泛起一圈圈ripples。", "wrong_language"),
        ("zh", "一个xiaohai仰着头。", "wrong_language"),
        ("zh", "远处的Schloss露出塔尖。", "wrong_language"),
        (
            "zh",
            "湖的左边有一座塔，湖的左边有一棵树，湖的左边有一只船，湖的左边有一座桥。",
            "sentence_repetition",
        ),
    ],
)
def test_a_slip_gets_its_reason(language, said, reason):
    assert reason in judge(language, said)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "The plate holds carne asada con arroz y frijoles."),
        ("en", "They serve tacos al pastor beside pasta al pesto."),
        ("en", "A dish of coq au vin stands beside pain au chocolat and crème de la crème."),
        ("en", "A bowl of cà phê sữa đá stands there."),
        ("en", "A scale of 5 μm, a span Δt of 2 s and a part of 3 kΩ are marked."),
        ("en", "An Hα filter lies there."),
        ("en", "A sign reads 「営業中」 there."),
        ("en", "The book 《红楼梦》 lies there."),
        ("en", "A bottle of correction fluid stands there, its label corrected by hand."),
        ("en", "The pier is long, very, very long, and the sea a deep, deep blue."),
        ("en", "From left to right their caps are red, green, green and white."),
        ("en", "From left to right their caps are red, green, green, and white."),
        ("en", "A sign above the door shows a clown who calls ho, ho, and waves."),
        ("en", "He holds a cane, cane in one hand and gloves in the other."),
        ("en", "There are straw hats, knitted hats, hats with feathers and hats without."),
        ("en", "The letter Ж is carved beside the angle α."),
        ("en", "The terrace has papel picado, piñatas and a comal."),
        ("en", 'An editor shows "<h1>Hello</h1>" and “&copy; **2024**”.'),
        ("en", "A tag shows '[12, 40, 60, 80]' in red."),
        ("zh", "球衣依次是红色、红色、蓝色和黄色，包子一个一个地摆着。"),
        ("zh", "门前有台阶，台阶两侧是花，山路很长，很长，一直通到山脚。"),
        ("zh", "门上刻着字母Ж，图上标出了角α。"),
        ("zh", '左侧排列着"回收站""Google Chrome"和"新建文件夹"。任务栏在底部。'),
        ("zh", "屏幕上显示“<h1>你好</h1>”和“（12, 30, 40, 56）”。"),
        ("zh", "她穿polo衫，背着adidas包，海报印着小字：www.panda-space.example。"),
        ("en", "Runners 1, 2, 3 and 4 wait. (1) is stretching a calf, (2) is adjusting her grip."),
        (
            "en",
            "The first man wears a white shirt and a black tie, the second man wears a white shirt "
            "and a black tie with dots, the third man wears a white shirt and a black tie too.",
        ),
        (
            "en",
            "On the left side of the gate stands a stone lion with its mouth open, and on the "
            "right side of the gate stands a stone lion with its mouth closed.",
        ),
        ("zh", "教练正在纠正学生的姿势，黑板上的错字已经更正。"),
        ("zh", "色调柔和和谐，孩子和和尚说话，一家人和和气气。"),
        ("zh", "所有有轨电车都停着，印有有趣的图案，是非非凡，是是非非。"),
        ("zh", "现在在下雨，目的的确明显，上衣以及及膝裙都是红色。"),
        ("zh", "他们走着走着停下了，孩子坐着坐着睡着了，走着走着一抬头看见山。"),
        ("zh", "第一排字母依次为Q、W、E、R、T、Y、U、I、O、P，Ctrl和Alt键磨平了。"),
        ("zh", "他穿一双白色的adidas运动鞋，拿一台instax相机和一把长5cm的刀。"),
        ("zh", "帽子上印着panda字样，旁边是一本André·马尔罗的书。"),
        ("zh", "（1）号在拉伸，（2）号在调整握棒姿势。"),
        ("zh", "左侧的人戴着一副黑框眼镜，右侧的人也戴着一副黑框眼镜。"),
        ("en", "There are boats, boats and more boats, and trees, trees as tall as houses."),
        ("en", "A list of pros and cons hangs there, and someone eats chili con carne."),
        ("en", "The Ponte Vecchio is printed on a bag, the Lago Maggiore on another."),
        ("zh", "远处的Schloss Bellevue露出塔尖。"),
        ("zh", "他穿一双vans鞋，戴着Adler手表，开着Opel汽车。"),
        (
            "zh",
            "另一个男孩穿着红色上衣，另一个男孩穿着蓝色短裤，另一个男孩穿着绿色外套，"
            "另一个男孩穿着黄色雨衣。",
        ),
    ],
)
def test_what_looks_like_a_slip_and_is_none_is_fit(language, said):
    assert judge(language, said) == []


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "The picture holds: (1) a car, (2) a tree, (3) a dog."),
        ("en", "There are things: (1) the car is red; (2) the tree is green."),
        ("zh", "有以下物品：（1）汽车，（2）树，（3）狗。"),
    ],
)
def test_a_list_whose_numbers_are_no_names_is_markdown(language, said):
    assert "markdown" in judge(language, said)
