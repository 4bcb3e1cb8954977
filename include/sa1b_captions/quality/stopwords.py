"""Function words that tell a language: every second to third word of its prose is one of them.

Only words that no other language of the list shares stand for one: `die` is German and English,
`a` is English and Portuguese, so a text is judged by the words it cannot avoid.
"""

_ENGLISH = """
    a about above across after against all along also among an and another are around as at be
    been before behind being below beneath beside between both but by each for from has have he
    her his i in into is it its more most near next no not of off on one onto or other out over
    several she some that the their them there these they this those through to toward towards
    two under up upon was well were what where which while who whose with within you
    """
_STUTTERS = """
    a an and are at by for from has his into is its of or the their they this was were with
    """
STUTTERS = frozenset(_STUTTERS.split())
"""English function words that never come twice in a row, as `that` and `had` may."""

ENGLISH = frozenset(_ENGLISH.split()) - STUTTERS
"""The other English ones."""

OTHER_LANGUAGES = {
    "Dutch": "aan deze een en het ook op uit van voor wordt zijn",
    "French": """
        au aux avec ce ces cette dans de des du elle est et il ils la le les leur mais ou par pas
        pour qui sont sous sur un une vers
        """,
    "German": """
        am auf aus bei das dem den der des durch ein eine einem einen einer eines einige hinter
        ihre im ist mit neben nicht oder sich sie sind und unter vom von vor wird zu zum zur
        zwei zwischen
        """,
    "Italian": """
        alla anche che con da dal dalla degli dei del della delle di e gli il la le lo nel nella
        per più sono su sul sulla tra un una uno
        """,
    "Portuguese": """
        ao as com da das de do dos e em estão mais na nas no nos o os para pela pelo por que são
        se sobre um uma à é
        """,
    "Spanish": """
        al con de del el en entre es está están hay la las lo los muy más para pero por que se
        sobre su sus un una unos y
        """,
}

FOREIGN = frozenset(" ".join(OTHER_LANGUAGES.values()).split()) - ENGLISH - STUTTERS
"""Function words of the other languages that are no English ones."""
