"""Made-up prompts for the tokenizer: ordinary ones, and every kind of text that trips tokenizers."""

import random

SEED = 77
COMPOSED = 380
SPOILED = 160

ADJECTIVES = "red tiny ancient glowing rusty velvet half-built photorealistic over-ripe 19th-century blue-green".split()
NOUNS = "robot lighthouse teapot owl cathedral bicycle harbour mushroom violin glacier astronaut dragonfly".split()
PLACES = ["in the rain", "on Mars", "under water", "at 6:45am", "near O'Hare", "inside a snow-globe", "by the sea"]
STYLES = [
    "oil on canvas", "35mm photo, f/1.8", "trending, 8k, HDR", "ukiyo-e", "pencil sketch (unfinished)",
    "isometric, low-poly", "by a child aged 7", "[wide shot]", "((masterpiece)), best quality", "<lora:none:0.8>",
]
JOINTS = [", ", " - ", "; ", " | ", " / ", " & ", "... ", " + ", "\n", "\t"]
CONTRACTIONS = "it's don't we're they've I'm she'll he'd IT'S DON'T rock'n'roll y'all'd've cats' 'tis o'clock".split()

SCRIPTS = [
    "наивный кот на крыше", "ένα κόκκινο μήλο στο ΤΡΑΠΈΖΙ", "苹果和一只猫", "夜の東京タワー、雨", "カタカナ ﾊﾝｶｸ テスト",
    "빨간 사과와 고양이", "تفاحة حمراء على الطاولة", "תפוח אדום על השולחן", "मेज पर लाल सेब", "แอปเปิ้ลสีแดงบนโต๊ะ",
    "წითელი ვაშლი", "կարմիր խնձոր", "táo đỏ trên bàn", "çilek ağacı İSTANBUL ılık", "Žluťoučký kůň", "Größe ẞ ß STRASSE",
    "smörgåsbord på ön", "ꙮ ᚠᚢᚦ 𐌰𐌱𐌲", "𝔉𝔯𝔞𝔨𝔱𝔲𝔯 𝕕𝕠𝕦𝕓𝕝𝕖", "ｆｕｌｌ ｗｉｄｔｈ １２３", "ﬁne ﬂour ǅungla Ǆ ĳs", "½ ¾ ² ³ ① Ⅷ ٣ ४ ๕",
    "∑ ∞ ≠ ± √2 → ⇒", "€5 £6 ¥7 ₹8 $9", "“curly” ‘quotes’ «guillemets» „low“", "em—dash en–dash non‑breaking‑hyphen",
]
EMOJI = [
    "😀", "a cat 😺 and a dog 🐶", "👩‍🚀 on 🌙", "👨‍👩‍👧‍👦 family", "👍🏽👍🏿 thumbs", "🇫🇷🇯🇵 flags", "🏳️‍🌈 flag", "❤️ vs ❤", "1️⃣2️⃣#️⃣",
    "🤷🏻‍♀️🤷🏾‍♂️", "🧑🏽‍🤝‍🧑🏻", "emoji😀inside😀word", "😀😀😀😀😀😀😀😀", "☃︎ text ☃️ emoji", "🫠🫡🩷 new ones", "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
]
ODD = [
    "", " ", "   ", "\t", "\n\n", "\u00a0", "\u3000", "\u200b", "\ufeff", "a\u00a0b", "a\u200bb", "a\u200db", "a\u2028b\u2029c",
    "a\u3000b", "\ufeffstart", "soft\u00adhyphen", "a\x00b", "a\x01b\x7fc", "tab\tbetween", "line\nbreak\r\nand more",
    "  leading and trailing  ", "many     spaces    inside", "x\x0by\x0cz", "\x85next line", "bell\x07", "\ufffd replacement",
    "rtl \u202eoverride\u202c mark\u200e", "e\u0301 vs \u00e9", "A\u030angstro\u0308m vs \u212bngstr\u00f6m", "n\u0303o n\u0303o",
    "o\u0302\u0323 vs o\u0323\u0302", "Z\u0351\u036ba\u0343l\u0361g\u0321o\u033a", "\u1e9b\u0323 long s", "\uac00 vs \u1100\u1161",
    "\u2126 ohm \u03a9", "\u0130 dotted \u0131 dotless", "\u03a3\u03a3 \u03bf\u03b4\u03cc\u03c2 \u039f\u0394\u039f\u03a3", "\u0390 \u1fd3", "K \u212a kelvin",
    "&amp; &lt;b&gt; &quot;x&quot;", "&amp;amp; &#39;s &eacute;", "caf\u00c3\u00a9 mojibake", "<b>bold</b>", "http://example.test/a_b?c=d&e=f#g",
    "<|endoftext|>", "<|startoftext|>", "before <|endoftext|> after", "a<|endoftext|>b", "a <|startoftext|>b<|endoftext|>",
    "<|ENDOFTEXT|>", "< |endoftext| >", "<|endoftext", "|endoftext|>", "<|endoftext|><|endoftext|>", "<|pad|> <unk> [CLS]",
    "!", "!!", "wow!", "wow! such dog!!!", "!important", "?!?!?!", "...", "....", ",", ",,,,", "'", "''", "'s", "''s", "'S", "'T'LL'VE",
    "\u2019s curly it\u2019s", "\"", "\\", "\\n", "`code`", "_under_score_", "__init__", "snake_case_word", "kebab-case-word",
    "CamelCaseWord", "ALLCAPS", "mIxEd CaSe", "a", "I", "ab", "i'm", "1", "12", "123", "1234567890", "3.14159", "1,000,000", "10%", "-5\u00b0C",
    "1st 2nd 3rd", "4k8k16K", "v1.5", "2024-01-31T23:59:59Z", "50/50", "#hashtag @mention", "a.b.c.d", "e.g., i.e., etc.", "U.S.A.",
    "C++ C# F#", "$$$", "%%%", "^_^ :-) ;P <3", "¯\\_(\u30c4)_/¯", "(((nested)))", "{curly} [square]", "a=b+c*d/e", "~tilde~",
    "thisisaverylongwordwithoutanyspaceswhichthevocabularycannotknow" * 2, "a" * 200, "1" * 120, "!" * 90, "é" * 60, "\u732b" * 50, "😀" * 40,
    "word " * 74 + "end", "word " * 75 + "end", "word " * 76 + "end", "word " * 200, "Supercalifragilisticexpialidocious",
    "donaudampfschifffahrtsgesellschaft", "\U0001f600\u0301", "\U00020000\U0002a6d6 rare han", "\ue000 private", "\U000e0001 tag", "\u0378 unassigned",
    "a\u0300\u0301\u0302\u0303\u0304b", "\u0300", "\u0300a", "\u093f\u0915", "\u0e33", "\u0915\u094d\u0937 \u0995\u09cd\u09b7", "\u2167 \u24b6 \u24d0 roman circled",
]


def composed(choice: random.Random) -> str:
    def thing() -> str:
        return f"{choice.choice(['a', 'the', 'one', 'A', 'Two'])} {choice.choice(ADJECTIVES)} {choice.choice(NOUNS)}"

    parts = [f"{thing()} {choice.choice(PLACES)}"]
    parts += [
        choice.choice([thing(), choice.choice(STYLES), choice.choice(CONTRACTIONS), str(choice.randrange(100000))])
        for _ in range(choice.choice([0, 1, 1, 2, 3, 5, 9, 16, 30]))
    ]
    text = parts[0]
    for part in parts[1:]:
        text += choice.choice(JOINTS) + part
    return choice.choice([text, text, text, text.upper(), text.title(), text + choice.choice("!?.…")])


def spoiled(choice: random.Random) -> str:
    """An ordinary prompt with strange pieces put in at random places."""
    text = composed(choice)[:120]
    for _ in range(choice.randint(1, 4)):
        piece = choice.choice([choice.choice(SCRIPTS), choice.choice(EMOJI), choice.choice(ODD)[:24], chr(choice.randrange(0x20, 0x3000))])
        place = choice.randint(0, len(text))
        text = text[:place] + piece + text[place:]
    return text


def prompts() -> list[str]:
    choice = random.Random(SEED)
    made = [*ODD, *SCRIPTS, *EMOJI]
    made += [composed(choice) for _ in range(COMPOSED)] + [spoiled(choice) for _ in range(SPOILED)]
    return list(dict.fromkeys(made))
