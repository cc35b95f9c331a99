//! What is thrown at the renderer: seeds by family, each in every frame. Nothing here is random: two runs throw the same.

use std::collections::BTreeSet;

/// One hostile text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Payload {
    pub(crate) family: &'static str,
    pub(crate) text: String,
}

/// What a seed is put into, so that it meets the renderer alone, behind a quote, behind something that it closes, twice.
const FRAMES: [&str; 7] = [
    "{}",
    "\">{}",
    "{}<!--",
    "'></title>{}",
    "</script>{}",
    "\u{202E}{}",
    "{}\r\n{}",
];

/// Longer seeds are thrown as they are.
const LONGEST_FRAMED: usize = 600;

/// Every payload, each text once.
pub(crate) fn all() -> Vec<Payload> {
    let families: [(&'static str, Vec<String>); 16] = [
        ("tags", tags()),
        ("attributes", attributes()),
        ("urls", urls()),
        ("templates", templates()),
        ("line breaks", line_breaks()),
        ("comments", comments()),
        ("entities", entities()),
        ("encodings", encodings()),
        ("styles", styles()),
        ("control characters", controls()),
        ("invisible", invisible()),
        ("direction", direction()),
        ("long and nested", long_and_nested()),
        ("headers and MIME", headers()),
        ("text messages", text_messages()),
        ("JSON-LD", json_ld()),
    ];
    let mut known = BTreeSet::new();
    let mut payloads = Vec::new();
    for (family, seeds) in families {
        for seed in seeds {
            let frames = if seed.len() > LONGEST_FRAMED {
                &FRAMES[..1]
            } else {
                &FRAMES[..]
            };
            for frame in frames {
                let text = frame.replace("{}", &seed);
                if known.insert(text.clone()) {
                    payloads.push(Payload { family, text });
                }
            }
        }
    }
    payloads
}

/// Every combination of the two, put together by `join`.
fn each<A: Copy, B: Copy>(first: &[A], second: &[B], join: impl Fn(A, B) -> String) -> Vec<String> {
    first
        .iter()
        .flat_map(|a| second.iter().map(|b| join(*a, *b)).collect::<Vec<_>>())
        .collect()
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn tags() -> Vec<String> {
    let names = [
        "script",
        "img",
        "svg",
        "iframe",
        "object",
        "embed",
        "form",
        "input",
        "style",
        "link",
        "meta",
        "base",
        "bdi",
        "title",
        "table",
        "td",
        "plaintext",
        "textarea",
        "template",
        "math",
        "a",
        "html",
        "body",
        "noscript",
    ];
    each(
        &names,
        &["<{}>", "</{}>", "<{}/>", "<{} x=y", "<\u{c}{}\n>", "<{}><{}>"],
        |name, shape| shape.replace("{}", name),
    )
}

fn attributes() -> Vec<String> {
    let handlers = [
        "onerror",
        "onload",
        "onclick",
        "onmouseover",
        "onfocus",
        "ontoggle",
        "onanimationstart",
        "style",
        "href",
        "srcdoc",
        "formaction",
        "background",
    ];
    let shapes = [
        "\" {}=alert(1) x=\"",
        "' {}=alert(1) x='",
        "` {}=alert(1)",
        " {}=alert(1) ",
        "\"/{}=alert(1)//",
        "<img src=x {}=alert(1)>",
        "\"\t{}\n=\n'alert(1)'",
    ];
    each(&handlers, &shapes, |handler, shape| shape.replace("{}", handler))
}

fn urls() -> Vec<String> {
    let schemes = [
        "javascript:",
        "JaVaScRiPt:",
        "java\tscript:",
        "java\nscript:",
        " javascript:",
        "\u{1}javascript:",
        "javascript&colon;",
        "&#106;avascript:",
        "&#x6A;avascript:",
        "javascript://",
        "vbscript:",
        "data:text/html,",
        "data:text/html;base64,",
        "file:///",
        "//",
        "///",
        "\\\\",
        "https:\\\\",
        "http:",
        "https:/",
        "https://",
        "HTTPS://",
        "ftp://",
        "blob:",
        "view-source:https://",
        "tel:",
        "mailto:",
        "https\u{200B}://",
        "https://shop.example@",
        "https://shop.example\\@",
        "https://shop.example:443@",
    ];
    let rests = [
        "alert(1)",
        "evil.example/<script>alert(1)</script>",
        "evil.example/\" onclick=\"alert(1)",
        "evil.example/\u{202E}gpj.exe",
        "evil.example",
        "%0aalert(1)",
        "evil.example/a b",
    ];
    each(&schemes, &rests, |scheme, rest| format!("{scheme}{rest}"))
}

fn templates() -> Vec<String> {
    let delimiters = [
        ("{{", "}}"),
        ("{{-", "-}}"),
        ("{%", "%}"),
        ("{#", "#}"),
        ("${", "}"),
        ("#{", "}"),
        ("<%=", "%>"),
        ("<%", "%>"),
        ("[[", "]]"),
        ("{{{", "}}}"),
        ("@{", "}"),
        ("*{", "}"),
        ("{", "}"),
        ("%{", "}"),
        ("{%raw%}{{", "}}{%endraw%}"),
    ];
    let codes = [
        "1337*1337",
        "7*7",
        "7*'7'",
        "shop",
        "order.id",
        "words.lead",
        "self",
        "debug()",
        "range(10**9)",
        "include 'x'",
        "set x = 1",
    ];
    each(&delimiters, &codes, |(open, close), code| {
        format!("{open} {code} {close}")
    })
}

fn line_breaks() -> Vec<String> {
    let breaks = [
        "\r\n",
        "\n",
        "\r",
        "\n\n",
        "\r\n\r\n",
        "%0d%0a",
        "%0D%0A",
        "\\r\\n",
        "\\u000d\\u000a",
        "&#13;&#10;",
        "&#xD;&#xA;",
        "\u{2028}",
        "\u{2029}",
        "\u{85}",
        "\u{b}",
        "\u{c}",
        "\u{1c}\u{1d}\u{1e}",
        "%E5%98%8A%E5%98%8D",
        "嘊嘍",
    ];
    each(
        &breaks,
        &["x{}Bcc: a@evil.example", "{}.{}", "{}Order{}Total   €0.00", "a{}{}{}b"],
        |line_break, shape| shape.replace("{}", line_break),
    )
}

fn comments() -> Vec<String> {
    let opens = [
        "<!--",
        "<!-->",
        "<!--->",
        "<!",
        "<?",
        "<![CDATA[",
        "<!--[if mso]>",
        "<!--[if !mso]><!-->",
        "<!DOCTYPE html [",
        "/*",
    ];
    let closes = ["-->", "--!>", "]]>", "<![endif]-->", "?>", "*/", ""];
    each(&opens, &closes, |open, close| format!("{open}<b>x</b>{close}"))
}

fn entities() -> Vec<String> {
    let names = [
        "lt", "gt", "quot", "apos", "amp", "#60", "#x3c", "#X3C", "#0", "#x110000", "#xD800", "NewLine", "Tab", "lpar",
        "nbsp", "zwj",
    ];
    let shapes = [
        "&{};",
        "&{}",
        "&amp;{};",
        "&amp;amp;{};",
        "&{};script&gt;alert(1)&{};/script&gt;",
        "&&{};;",
    ];
    each(&names, &shapes, |name, shape| shape.replace("{}", name))
}

fn encodings() -> Vec<String> {
    let brackets = [
        ("%3C", "%3E"),
        ("%253C", "%253E"),
        ("\\x3c", "\\x3e"),
        ("\\u003c", "\\u003e"),
        ("\\74", "\\76"),
        ("+ADw-", "+AD4-"),
        ("＜", "＞"),
        ("‹", "›"),
        ("〈", "〉"),
        ("%c0%bc", "%c0%be"),
        ("\u{FFFD}<", ">"),
        ("=3C", "=3E"),
    ];
    each(
        &brackets,
        &["script", "img src=x onerror=alert(1)", "/title", "b", "/td"],
        |(open, close), tag| format!("{open}{tag}{close}x{open}/{tag}{close}"),
    )
}

fn styles() -> Vec<String> {
    let values = [
        "red",
        "#12345",
        "#1234567",
        "#gggggg",
        "#fff;}",
        "expression(alert(1))",
        "url(javascript:alert(1))",
        "url(//evil.example/x)",
    ];
    let shapes = [
        "{}",
        "{};background:{}",
        "}body{display:none",
        "</style>{}",
        "@import {};",
        "\\{}",
        "{} !important",
        "#0f6b5c;{}",
    ];
    each(&values, &shapes, |value, shape| shape.replace("{}", value))
}

fn controls() -> Vec<String> {
    (0_u32..0x20)
        .chain(0x7f..0xa0)
        .filter_map(char::from_u32)
        .map(|c| format!("a{c}b{c}<{c}script>"))
        .chain(owned(&[
            "\u{FFFE}",
            "\u{FFFF}",
            "\u{1FFFF}",
            "\u{FDD0}",
            "\0\0\0",
            "\u{7f}\u{8}\u{8}\u{8}Ana",
        ]))
        .collect()
}

fn invisible() -> Vec<String> {
    let letters = [
        "\u{200B}",
        "\u{200C}",
        "\u{200D}",
        "\u{2060}",
        "\u{FEFF}",
        "\u{AD}",
        "\u{180E}",
        "\u{FE0F}",
        "\u{FE00}",
        "\u{E0001}",
        "\u{E0041}\u{E007F}",
        "\u{E0100}",
        "\u{3164}",
        "\u{115F}",
        "\u{2800}",
        "\u{A0}",
        "\u{3000}",
        "\u{2063}",
        "\u{34F}",
        "e\u{301}\u{301}\u{301}",
        "\u{301}",
        "Z\u{351}\u{36b}\u{343}\u{32a}\u{302}\u{36b}",
    ];
    let shapes = [
        "{}",
        "A{}n{}a",
        "<scr{}ipt>",
        "{}{}{}{}{}{}{}{}",
        "java{}script:alert(1)",
    ];
    each(&letters, &shapes, |letter, shape| shape.replace("{}", letter))
}

fn direction() -> Vec<String> {
    let marks = [
        "\u{200E}",
        "\u{200F}",
        "\u{61C}",
        "\u{202A}",
        "\u{202B}",
        "\u{202C}",
        "\u{202D}",
        "\u{202E}",
        "\u{2066}",
        "\u{2067}",
        "\u{2068}",
        "\u{2069}",
        "\u{2069}\u{2069}\u{202C}",
        "\u{2068}\u{2067}\u{202E}",
    ];
    let shapes = [
        "{}",
        "{}gpj.exe",
        "שרה {} Levi",
        "{}مرحبا{}",
        "<{}b>x",
        "</bdi>{}<bdi>",
        "1{}2{}3",
    ];
    each(&marks, &shapes, |mark, shape| shape.replace("{}", mark))
}

fn long_and_nested() -> Vec<String> {
    let parts = [
        "a",
        "\"",
        "&",
        "<",
        "<b>",
        "<table><td>",
        "{{",
        "{% if x %}",
        "(",
        "[",
        "é",
        "🦊",
        "ש",
        "\u{301}",
        "a ",
        "a\n",
        "<!--",
        "&amp;",
        "'",
        "\u{202E}",
        "\u{2068}",
        "ﷺ",
    ];
    each(&parts, &[40, 121, 400, 1_001, 4_001, 10_000], |part, times| {
        part.repeat(times)
    })
}

fn headers() -> Vec<String> {
    let lines = [
        "Bcc: a@evil.example",
        "To: a@evil.example",
        "Content-Type: text/html",
        "Content-Transfer-Encoding: base64",
        "MIME-Version: 1.0",
        "Subject: paid",
        "Reply-To: a@evil.example",
        "--boundary",
        "--boundary--",
        "----=_Part_1_1.1",
        ".",
        "..",
        ".\r\nMAIL FROM:<a@b>",
        "From a@evil.example Mon Jan 1",
        "=?utf-8?B?QmNjOiBhQGV2aWw=?=",
        "=?utf-8?Q?=0D=0ABcc:=20a?=",
        "=?UTF-8?q?=E2=80=AE?=",
        "=?x?=",
        "\"Ana\" <a@evil.example>",
        "Ana, a@evil.example",
        "a@evil.example;b@evil.example",
        "begin 644 x.exe",
        "=3D=20=0A",
    ];
    each(
        &lines,
        &["{}", "\r\n{}", "x\r\n\r\n{}", "x\n {}", "{} {}"],
        |line, shape| shape.replace("{}", line),
    )
}

fn text_messages() -> Vec<String> {
    let parts = [
        "\u{1b}",
        "\u{1b}\u{14}",
        "@",
        "@@@@@@@@",
        "\u{0}",
        "\u{c}",
        "€",
        "^{}\\[~]|€",
        "ș",
        "’",
        "–",
        "…",
        "🦊",
        "👨‍👩‍👧",
        "❤️",
        "🇪🇸",
        "1️⃣",
        "½",
        "ı",
        "Я",
        "中",
        "\u{5}\u{0}\u{3}\u{1}\u{2}\u{1}",
        "\u{a0}",
        "™",
        "№",
        "ﬁ",
        "Ω",
        "\u{2126}",
        "𝐀",
        "①",
        "ﷺ",
        "\r",
        "¡",
        "`",
    ];
    each(&parts, &[1, 2, 80, 161], |part, times| part.repeat(times))
}

fn json_ld() -> Vec<String> {
    let breaks = [
        "</script>",
        "</script >",
        "</SCRIPT\n>",
        "<!--<script>",
        "\\u003c/script\\u003e",
        "\"",
        "\\",
        "\\\"",
        "\\\\\"",
        "\u{2028}",
        "\"}",
        "\"}]}",
        "\u{0}",
        "\\",
        "]]>",
    ];
    let shapes = [
        "{}",
        "{}<script>alert(1)</script>",
        "{},\"@type\":\"Person\"",
        "x{}<!--",
        "{}:{}",
        "\",\"price\":\"0{}",
    ];
    each(&breaks, &shapes, |part, shape| shape.replace("{}", part))
}
