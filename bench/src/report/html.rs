//! Outcomes as one self-contained page of pictures: no script, font or picture from elsewhere, readable without scripts, light and dark.
//!
//! It is made from the lines of the JSON report, whether they were written just now or long ago: `record` reads them, `picture` draws.

mod picture;
mod record;

use std::fmt::Write;

use self::picture::{distribution, overview};
use self::record::{Contestant, Line};
use super::numbers::figure;
use crate::requirement::State;

/// The page's looks.
pub const STYLE: &str = include_str!("html/style.css");
/// What a browser with scripts adds: showing only what was missed.
const SCRIPT: &str = include_str!("html/page.js");

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// A line is not of a report.
    #[error("line {number} is not one of `hallows bench --json`: {source}")]
    Line {
        /// Which, from 1.
        number: usize,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// Nothing to show.
    #[error("there is no bench in it")]
    Empty,
}

/// The page for a JSON report, one object a line. Empty lines are passed over.
///
/// # Errors
/// [`PageError`].
pub fn page(report: &str) -> Result<String, PageError> {
    let mut lines: Vec<Line> = Vec::new();
    for (number, text) in report.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
        lines.push(
            serde_json::from_str(text).map_err(|source| PageError::Line { number: number + 1, source })?,
        );
    }
    let first = lines.first().ok_or(PageError::Empty)?;
    let (met, all) = (lines.iter().filter(|line| line.met).count(), lines.len());
    let mut html = String::new();
    // Writing to a String cannot fail, here and below.
    let _ = write!(
        html,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>hallows bench: {met} of {all} met</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>hallows bench</h1>\n<p class=\"lead\">{met} of {all} met.</p>\n"
    );
    if let Some(environment) = &first.environment {
        let _ = writeln!(html, "<p>{}</p>", escaped(environment));
    }
    html += "<p>Ours and its rivals take turns on the same cores. Less is better everywhere. Each row has the median (●), the smallest and the \
             largest median of a turn (the thick bar), and a thin line to p99, p99.9 and the worst sample (marks).</p>\n";
    contents(&mut html, &lines);
    html += "</header>\n<main>\n";
    for line in &lines {
        section(&mut html, line);
    }
    let _ = write!(html, "</main>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n");
    Ok(html)
}

/// All benches in a table, each with its median, its nearest rival, and its verdict.
fn contents(html: &mut String, lines: &[Line]) {
    *html += "<table class=\"summary\">\n<thead><tr><th>bench</th><th class=\"number\">ours, p50</th><th>unit</th>\
              <th>fastest rival</th><th class=\"number\">its p50</th><th class=\"number\">ours is faster</th><th></th></tr></thead>\n<tbody>\n";
    for line in lines {
        let ours = line.ours.as_ref().and_then(|ours| ours.figures.as_ref());
        let rival = line.fastest_rival();
        let (name, p50, ratio) = rival.map_or((String::new(), String::new(), String::new()), |rival| {
            let ratio = rival.ratio.map_or(String::new(), |ratio| format!("{}×", figure(ratio)));
            let p50 = rival.contestant.figures.as_ref().map_or(String::new(), |figures| figure(figures.p50));
            (escaped(&rival.contestant.name), p50, ratio)
        });
        let title = line.title();
        let _ = writeln!(
            html,
            "<tr class=\"{}\"><td><a href=\"#{anchor}\">{title}</a></td><td class=\"number\">{}</td><td>{}</td><td>{name}</td>\
             <td class=\"number\">{p50}</td><td class=\"number\">{ratio}</td><td>{}</td></tr>",
            if line.met { "is-met" } else { "is-missed" },
            ours.map_or("–".to_owned(), |figures| figure(figures.p50)),
            escaped(&line.unit),
            badge(if line.met { State::Met } else { line.worst() }),
            anchor = anchor(&title),
            title = escaped(&title),
        );
    }
    *html += "</tbody>\n</table>\n";
}

/// A bench: what it is, its pictures, what it must reach, its table, and all that a reader needs to doubt it.
fn section(html: &mut String, line: &Line) {
    let title = line.title();
    let _ = write!(
        html,
        "<section id=\"{}\" class=\"{}\">\n<h2>{} {}</h2>\n<p>{}</p>\n",
        anchor(&title),
        if line.met { "is-met" } else { "is-missed" },
        escaped(&title),
        badge(if line.met { State::Met } else { line.worst() }),
        escaped(&sentence(&line.what)),
    );
    *html += &overview(line);
    *html += "<ul class=\"verdicts\">\n";
    for requirement in &line.requirements {
        let reached = requirement.reached.map_or(String::new(), |reached| format!(": {}", figure(reached)));
        let _ = writeln!(
            html,
            "<li>{} must reach {}{reached}</li>",
            badge(requirement.state),
            escaped(&requirement.requirement)
        );
    }
    *html += "</ul>\n";
    if let Some(picture) = distribution(line) {
        let _ = write!(
            html,
            "<details open><summary>Distribution of all samples</summary>\n{picture}</details>\n"
        );
    }
    table(html, line);
    notes(html, line);
    *html += "</section>\n";
}

fn table(html: &mut String, line: &Line) {
    let _ = write!(
        html,
        "<details open><summary>Figures in {}</summary>\n<div class=\"wide\"><table>\n<thead><tr><th></th>\
         <th class=\"number\">p50</th><th class=\"number\">p99</th><th class=\"number\">p99.9</th><th class=\"number\">max</th>\
         <th class=\"number\">p50 of turns</th><th class=\"number\">ours is faster</th><th class=\"number\">samples</th>\
         <th class=\"number\">cores</th></tr></thead>\n<tbody>\n",
        escaped(&line.unit)
    );
    for (contestant, ratio) in line.contestants() {
        let name = escaped(&contestant.name);
        let Some(figures) = &contestant.figures else {
            let why = escaped(contestant.unavailable.as_deref().unwrap_or("no figures"));
            let _ = writeln!(html, "<tr><th>{name}</th><td colspan=\"8\" class=\"why\">{why}</td></tr>");
            continue;
        };
        let cells = [
            figure(figures.p50),
            figure(figures.p99),
            figure(figures.p99_9),
            figure(figures.max),
            format!("{}–{}", figure(figures.p50_spread[0]), figure(figures.p50_spread[1])),
            ratio.map_or(String::new(), |ratio| format!("{}×", figure(ratio))),
            figure(figures.samples as f64),
            contestant.cores_used.to_string(),
        ];
        let cells = cells.map(|cell| format!("<td class=\"number\">{cell}</td>")).concat();
        let _ = writeln!(html, "<tr><th>{name}</th>{cells}</tr>");
    }
    *html += "</tbody>\n</table></div></details>\n";
}

fn notes(html: &mut String, line: &Line) {
    *html += "<dl>\n";
    let mut note = |name: &str, text: &str| {
        let _ = writeln!(html, "<dt>{name}</dt><dd>{}</dd>", escaped(text));
    };
    note("on the path, and not", &line.path);
    if let Some(why) = &line.why {
        note("why the rival is slow", why);
    }
    for published in &line.published {
        let ours =
            line.ours_p50_cycles.map_or(String::new(), |cycles| format!("; ours here: {}", figure(cycles)));
        let text = format!(
            "{}: {} cycles{ours} ({}; {})",
            published.name,
            figure(published.cycles),
            published.what,
            published.source
        );
        note("published", &text);
    }
    note(
        "measured",
        &format!("on cores {}, in {} turns of each; {}", line.cores, line.rounds, line.sampling()),
    );
    let _ = writeln!(
        html,
        "<dt>again</dt><dd><code>hallows bench {} --cores {}</code></dd>",
        escaped(&title_for_command(line)),
        escaped(&line.cores)
    );
    for (contestant, _) in line.contestants() {
        let Contestant { name, configuration, remark, .. } = contestant;
        let remark = remark.as_ref().map_or(String::new(), |remark| format!(" ({remark})"));
        let _ = writeln!(
            html,
            "<dt>{}</dt><dd>{}{}</dd>",
            escaped(name),
            escaped(configuration),
            escaped(&remark)
        );
    }
    *html += "</dl>\n";
}

fn title_for_command(line: &Line) -> String {
    line.title()
}

fn badge(state: State) -> &'static str {
    match state {
        State::Met => "<span class=\"badge met\">met</span>",
        State::Missed => "<span class=\"badge missed\">missed</span>",
        State::Unverified => "<span class=\"badge unverified\">not verified</span>",
    }
}

/// A title as a place in the page.
fn anchor(title: &str) -> String {
    title.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).collect()
}

/// With a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

/// A text as HTML and in quoted attributes.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::tests::outcome;
    use crate::report::json;

    fn report() -> String {
        format!("{}\n\n{}\n", json::line(&outcome()), json::line(&outcome()))
    }

    #[test]
    fn the_page_has_everything_of_the_table_and_a_picture() {
        let html = page(&report()).expect("a page");
        for part in [
            "<title>hallows bench: 0 of 2 met</title>",
            "example/one",
            "<svg",
            "p50 ≤ 70 ns",
            "not verified",
            "not installed",
            "2,000",
            "the path",
            "system calls",
            "hallows bench example/one --cores 0,1",
            "1,294 cycles; ours here: 100",
            "prefers-color-scheme",
        ] {
            assert!(html.contains(part), "{part} is not in\n{html}");
        }
    }

    #[test]
    fn nothing_comes_from_elsewhere() {
        let html = page(&report()).expect("a page");
        for part in ["http:", "https:", "src=", "@import", "url(", "<link"] {
            // Sources of published figures are text.
            let page = html.replace("https://", "").replace("http://", "");
            let searched = if part.starts_with("http") { &page } else { &html };
            assert!(!searched.contains(part), "{part}");
        }
    }

    #[test]
    fn texts_of_a_report_are_only_texts_on_the_page() {
        let mut value: serde_json::Value = serde_json::from_str(&json::line(&outcome())).expect("JSON");
        for place in
            ["/bench", "/what", "/path", "/cores", "/ours/name", "/ours/configuration", "/rivals/0/name"]
        {
            *value.pointer_mut(place).expect(place) = "<script>\"x\"&</script>".into();
        }
        let html = page(&value.to_string()).expect("a page");
        assert_eq!(html.matches("<script>").count(), 1, "only the page's own");
        assert!(html.contains("&lt;script&gt;&quot;x&quot;&amp;"));
    }

    #[test]
    fn what_is_no_report_is_said_with_its_line() {
        let error = page(&format!("{}\nnonsense\n", json::line(&outcome()))).expect_err("line 2").to_string();
        assert!(error.starts_with("line 2 is not one of `hallows bench --json`"), "{error}");
        assert!(matches!(page("\n"), Err(PageError::Empty)));
    }

    #[test]
    fn a_report_without_newer_fields_is_read() {
        let mut value: serde_json::Value = serde_json::from_str(&json::line(&outcome())).expect("JSON");
        for contestant in ["/ours", "/rivals/0"] {
            let figures =
                value.pointer_mut(contestant).and_then(|one| one.as_object_mut()).expect("an object");
            figures.remove("quantiles");
        }
        let html = page(&value.to_string()).expect("a page");
        assert!(!html.contains("Distribution of all samples") && html.contains("<svg"));
    }
}
