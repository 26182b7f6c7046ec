//! The report as one page that needs nothing beside it: no script, font or picture from elsewhere, light and dark.

use std::fmt::Write;

use hallows_bench::report::html::STYLE;
use hallows_lab::report::{escaped, svg_in_page};
use hallows_load::duration::shown;

use super::text::remarks;
use super::{NO_CURVE, notes, plots};
use crate::demonstration::Report;
use crate::{PERCENTILES, losses};

/// The page.
#[must_use]
pub fn html(report: &Report) -> String {
    let mut html = String::new();
    // Writing to a String cannot fail, here and below.
    let _ = write!(
        html,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>hallows demo tail</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>hallows demo tail</h1>\n<p class=\"lead\">The same requests to each server on the same cores, \
         and what their slowest answers took.</p>\n<p><code>{}</code></p>\n",
        escaped(&report.command)
    );
    notes(report).iter().for_each(|note| _ = writeln!(html, "<p>{}</p>", escaped(note)));
    html += "</header>\n<main>\n";
    let curves: String = plots(report).iter().map(svg_in_page).collect();
    section(&mut html, "Curves", &if curves.is_empty() { format!("<p>{NO_CURVE}</p>\n") } else { curves });
    section(&mut html, "Where a rival is better", &rivals(report));
    section(&mut html, "Figures", &figures(report));
    section(&mut html, "Who took part", &participants(report));
    html += "</main>\n</body>\n</html>\n";
    html
}

fn section(html: &mut String, title: &str, body: &str) {
    let _ = write!(html, "<section>\n<h2>{title}</h2>\n{body}</section>\n");
}

fn rivals(report: &Report) -> String {
    let Some(losses) = losses(report) else {
        return "<p>Ours was not measured: nothing is compared.</p>\n".to_owned();
    };
    if losses.is_empty() {
        return "<p>Nowhere was a rival better than ours.</p>\n".to_owned();
    }
    let rows = losses.iter().map(|loss| {
        let load = loss.load.map_or_else(|| "–".to_owned(), |load| format!("{load}/s"));
        vec![load, loss.figure.clone(), loss.rival.clone(), loss.theirs.clone(), loss.ours.clone()]
    });
    table(&["load", "figure", "rival", "its", "ours"], rows)
}

fn figures(report: &Report) -> String {
    let time = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), shown);
    let mut body = String::new();
    for load in &report.loads {
        let points: Vec<_> =
            report.participants.iter().filter_map(|one| Some((one, one.at(*load)?))).collect();
        if points.is_empty() {
            continue;
        }
        let rows = points.iter().flat_map(|(participant, point)| {
            point.classes.iter().map(|class| {
                let mut row = vec![
                    format!("{}{}", participant.name, if point.kept_up { "" } else { "!" }),
                    class.class.clone(),
                ];
                row.extend(PERCENTILES.map(|(_, of)| time(of(&class.latency_ns))));
                row.extend([
                    time(class.latency_ns.max),
                    class.samples.to_string(),
                    format!("{:.0}", point.done_per_second),
                    format!("{:.2}", point.cores_busy),
                    point
                        .requests_per_core_second
                        .map_or_else(|| "–".to_owned(), |requests| format!("{requests:.0}")),
                    shown(point.generator_late_ns.p99 as f64),
                ]);
                row
            })
        });
        let head = [
            "",
            "class",
            "p50",
            "p99",
            "p99.9",
            "p99.99",
            "max",
            "samples",
            "done/s",
            "cores",
            "per core-second",
            "generator late, p99",
        ];
        let _ = write!(
            body,
            "<h3>{load} requests in a second</h3>\n<div class=\"wide\">{}</div>\n",
            table(&head, rows)
        );
        for remark in points.iter().flat_map(|(participant, point)| remarks(participant, point)) {
            let _ = writeln!(body, "<p class=\"why\">{}</p>", escaped(&remark));
        }
    }
    body
}

fn participants(report: &Report) -> String {
    let mut body = "<dl>\n".to_owned();
    let mut entry = |name: &str, text: &str| _ = writeln!(body, "<dt>{}</dt><dd>{text}</dd>", escaped(name));
    for one in &report.participants {
        let mut lines = vec![format!("<code>{}</code>", escaped(&one.command))];
        if !one.version.is_empty() {
            lines.push(escaped(&one.version));
        }
        lines.push(format!(
            "speaks {}; at most {} requests/s in a closed loop",
            escaped(&one.protocol),
            one.capacity_per_second.map_or_else(|| "–".to_owned(), |most| format!("{most:.0}"))
        ));
        if let Some(load) = one.broke_at {
            lines.push(format!("left requests without an answer from {load}/s on"));
        }
        lines.extend(one.failed.iter().map(|why| escaped(why)));
        for tool in &one.tools {
            let said = tool.said.as_ref().unwrap_or_else(|why| why);
            lines.push(format!("<code>{}</code>: {}", escaped(&tool.command), escaped(said)));
        }
        if let Some(point) = one.points.last() {
            let threads: Vec<_> = point
                .cores_busy_by_thread
                .iter()
                .map(|(name, busy)| format!("{} {busy:.3}", escaped(name)))
                .collect();
            lines.push(format!("cores by thread at {}/s: {}", point.offered_per_second, threads.join(", ")));
        }
        entry(&one.name, &lines.join("<br>"));
    }
    report.absent.iter().for_each(|line| entry("not here", &escaped(line)));
    body + "</dl>\n"
}

/// A table; all but the first two columns are figures.
fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let class = |column: usize| if column < 2 { "" } else { " class=\"number\"" };
    let row = |kind: &str, cells: &mut dyn Iterator<Item = &str>| {
        let cells: String = cells
            .enumerate()
            .map(|(column, cell)| format!("<{kind}{}>{}</{kind}>", class(column), escaped(cell)))
            .collect();
        format!("<tr>{cells}</tr>\n")
    };
    let body: String = rows.map(|cells| row("td", &mut cells.iter().map(String::as_str))).collect();
    format!(
        "<table>\n<thead>{}</thead>\n<tbody>\n{body}</tbody>\n</table>\n",
        row("th", &mut head.iter().copied())
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demonstration::tests::report;

    /// Whether every tag that is opened is closed, and in order.
    fn is_well_formed(html: &str) -> Result<(), String> {
        let mut open = Vec::new();
        for tag in html.split('<').skip(1) {
            let (tag, _) = tag.split_once('>').ok_or_else(|| format!("'{tag}' does not end"))?;
            let name: String =
                tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
            if tag.starts_with('!') || tag.ends_with('/') || ["meta", "br"].contains(&name.as_str()) {
                continue;
            }
            if !tag.starts_with('/') {
                open.push(name);
            } else if open.pop().as_ref() != Some(&name) {
                return Err(format!("</{name}> closes another"));
            }
        }
        if open.is_empty() { Ok(()) } else { Err(format!("{open:?} are open")) }
    }

    #[test]
    fn the_page_has_everything_is_well_formed_and_needs_nothing_from_elsewhere() {
        let page = html(&report());
        assert_eq!(is_well_formed(&page), Ok(()));
        for part in [
            "<svg",
            "quick requests: p99 over load",
            "taskset -c 0,1 redis --port 7",
            "where a rival",
            "9 GETs/s",
            "redis &lt;1.0&gt;",
            "apt-get install valkey",
            "50.0 us",
            "prefers-color-scheme",
        ] {
            assert!(page.to_lowercase().contains(&part.to_lowercase()), "{part} is not in\n{page}");
        }
        for elsewhere in ["http", "src=", "<link", "@import", "url(", "<script"] {
            assert!(!page.contains(elsewhere), "{elsewhere}");
        }
        assert_eq!(page.matches("<svg").count(), 4);
        let mut late = report();
        late.participants.iter_mut().flat_map(|one| &mut one.points).for_each(|point| point.kept_up = false);
        assert!(html(&late).contains(NO_CURVE) && !html(&late).contains("<svg"));
    }

    #[test]
    fn texts_of_servers_are_only_texts_on_the_page() {
        let mut report = report();
        let evil = "<script>\"x\"&</script>".to_owned();
        report.participants[0].name = evil.clone();
        report.participants[1].version = evil.clone();
        report.participants[1].failed = Some(evil.clone());
        report.participants[1].points[0].first_wrong = Some(evil.clone());
        report.participants[1].tools[0].said = Err(evil.clone());
        report.participants[1].points[1].cores_busy_by_thread[0].0 = evil.clone();
        report.absent.push(evil.clone());
        report.command = evil;
        let page = html(&report);
        assert!(!page.contains("<script>") && page.contains("&lt;script&gt;"));
        assert_eq!(is_well_formed(&page), Ok(()));
    }
}
