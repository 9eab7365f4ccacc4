//! The page around what is shown: its head, its colours for light and dark, tables.

use std::fmt::Write as _;

/// What a page looks like. Colours of series are told apart by the commonest colour-blind eyes as well.
const STYLE: &str = "
:root { color-scheme: light dark; --paper: #fbfbf9; --card: #ffffff; --ink: #1c1e21; --soft: #63676e; --line: #e2e2dc;
  --s0: #2a6fdb; --s1: #d9660a; --s2: #16866a; --s3: #a03fb5; --s4: #b3261e; --shade: #8882;
  --good: #16794f; --bad: #b3261e; --weak: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --paper: #15171a; --card: #1d2024; --ink: #e8e8e4; --soft: #9aa0a8;
  --line: #33373d; --s0: #6ea8ff; --s1: #ff9f4a; --s2: #4fc9a4; --s3: #d68be6; --s4: #ff8a80; --shade: #fff1;
  --good: #5fd0a0; --bad: #ff8a80; --weak: #f0bf5a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 24px; line-height: 1.25; margin: 0; }
h2 { font-size: 15px; margin: 0 0 10px; }
.sub { color: var(--soft); margin: 4px 0 20px; overflow-wrap: anywhere; }
.verdict { display: inline-block; padding: 1px 10px; border-radius: 99px; border: 1px solid; font-size: 13px;
  font-weight: 600; vertical-align: 4px; margin-left: 10px; }
.good { color: var(--good); } .bad { color: var(--bad); } .weak { color: var(--weak); }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 16px 18px;
  margin: 14px 0; overflow-x: auto; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: 12px; margin: 14px 0; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 10px 14px; }
.tile b { display: block; font-size: 21px; font-variant-numeric: tabular-nums; }
.tile span { color: var(--soft); font-size: 13px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 4px 10px; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
th { color: var(--soft); font-weight: 500; font-size: 13px; }
tr:last-child td { border-bottom: 0; }
ul { margin: 0; padding-left: 20px; } li { overflow-wrap: anywhere; }
.facts td { text-align: left; white-space: normal; overflow-wrap: anywhere; }
.facts td:first-child { color: var(--soft); white-space: nowrap; width: 1%; }
svg { display: block; width: 100%; height: auto; min-width: 560px; }
svg text { fill: var(--soft); font: 12px system-ui, sans-serif; }
svg .grid { stroke: var(--line); } svg .axis { stroke: var(--soft); }
svg .shade { fill: var(--shade); } svg .limit { stroke: var(--bad); stroke-dasharray: 4 4; }
svg .curve { fill: none; stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round; }
svg .spot { fill: transparent; } svg .spot:hover { fill: var(--shade); }
.s0 { stroke: var(--s0); } .s1 { stroke: var(--s1); } .s2 { stroke: var(--s2); } .s3 { stroke: var(--s3); }
.s4 { stroke: var(--s4); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; color: var(--soft); font-size: 13px; margin-bottom: 6px; }
.legend span:last-child { margin-left: auto; }
.legend i { display: inline-block; width: 18px; height: 3px; border-radius: 2px; margin-right: 6px;
  vertical-align: 4px; }
.k0 { background: var(--s0); } .k1 { background: var(--s1); } .k2 { background: var(--s2); }
.k3 { background: var(--s3); } .k4 { background: var(--s4); }
footer { color: var(--soft); font-size: 13px; margin-top: 24px; }
";

/// A text that cannot be taken for markup.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // What XML has no way to write.
            character if character.is_control() && !character.is_whitespace() => {
                escaped.push('\u{fffd}');
            }
            character => escaped.push(character),
        }
    }
    escaped
}

/// The whole page. `body` is markup, `title` is text.
pub(super) fn page(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>{}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n",
        escape(title)
    )
}

/// A part of the page with a heading; `content` is markup. Nothing, if that is empty.
pub(super) fn section(heading: &str, content: &str) -> String {
    if content.is_empty() {
        return String::new();
    }
    format!("<section>\n<h2>{}</h2>\n{content}</section>\n", escape(heading))
}

/// A table; cells are markup.
pub(super) fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = "<table>\n<tr>".to_owned();
    for head in heads {
        // Writing to a String cannot fail.
        let _ = write!(text, "<th>{}</th>", escape(head));
    }
    text.push_str("</tr>\n");
    for row in rows {
        text.push_str("<tr>");
        for cell in row {
            let _ = write!(text, "<td>{cell}</td>");
        }
        text.push_str("</tr>\n");
    }
    text + "</table>\n"
}

/// A table of names and values, both text.
pub(super) fn facts(pairs: &[(&str, String)]) -> String {
    let mut text = "<table class=\"facts\">\n".to_owned();
    for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        let _ = writeln!(text, "<tr><td>{}</td><td>{}</td></tr>", escape(name), escape(value));
    }
    text + "</table>\n"
}

/// Lines of text as a list. Nothing, if there are none.
pub(super) fn list(lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let mut text = "<ul>\n".to_owned();
    for line in lines {
        let _ = writeln!(text, "<li>{}</li>", escape(line));
    }
    text + "</ul>\n"
}

/// A number as people read it: four digits at most behind a point that matters.
pub(super) fn number(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude >= 10_000.0 {
        let digits = format!("{magnitude:.0}");
        let mut grouped = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                grouped.push('\u{202f}');
            }
            grouped.push(digit);
        }
        if value < 0.0 { format!("-{grouped}") } else { grouped }
    } else if magnitude >= 100.0 || value.fract().abs() < 1e-9 {
        format!("{value:.0}")
    } else if magnitude >= 10.0 {
        format!("{value:.1}")
    } else if magnitude >= 1.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.3}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_a_text_stays_text() {
        assert_eq!(
            escape("<a href='x'>&\"\u{1}\n"),
            "&lt;a href=&#39;x&#39;&gt;&amp;&quot;\u{fffd}\n"
        );
    }

    #[test]
    fn numbers_have_the_digits_that_matter() {
        for (value, text) in [
            (0.0, "0"),
            (0.1234, "0.123"),
            (1.234, "1.23"),
            (12.34, "12.3"),
            (123.4, "123"),
            (1_234_567.0, "1\u{202f}234\u{202f}567"),
            (-20_000.0, "-20\u{202f}000"),
        ] {
            assert_eq!(number(value), text);
        }
    }
}
