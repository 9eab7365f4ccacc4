//! The page of a comparison.

use super::frame::{escape, list, number, page as frame, section, table};
use super::plot::{Axis, MAX_SERIES, Plot, Series};
use super::run::by_percentile;
use crate::compare::{Comparison, METHOD, Outcome, Runs};

const PLOT_HEIGHT: f64 = 300.0;

/// The whole page: every side held against the first, which is the base.
pub fn page(sides: &[Runs], comparisons: &[Comparison]) -> String {
    let names = sides.iter().map(|side| side.name.as_str()).collect::<Vec<_>>().join(", ");
    let mut body = format!("<h1>Comparison</h1>\n<p class=\"sub\">{}</p>\n", escape(&names));
    for comparison in comparisons {
        let heading = format!("{} beside {}", comparison.other, comparison.base);
        body += &section(&heading, &(differences(comparison) + &list(&comparison.doubts)));
    }
    // There are as many colours as series.
    let shown = &sides[..sides.len().min(MAX_SERIES)];
    let records: Vec<_> = shown.iter().map(|side| (side.name.clone(), side.deliver())).collect();
    body += &section("Send → delivered by percentile", &by_percentile(&records));
    body += &section("Send → delivered, p99 over time", &over_time(shown));
    let footer = format!("<footer>Intervals: {}.</footer>\n", escape(METHOD));
    frame("Comparison of load tests", &(body + &footer))
}

fn differences(comparison: &Comparison) -> String {
    let rows: Vec<Vec<String>> = comparison
        .differences
        .iter()
        .map(|difference| {
            let [low, high] = difference.interval_percent;
            let class = match difference.outcome {
                Outcome::Better => "good",
                Outcome::Worse => "bad",
                Outcome::Tie | Outcome::Unsure => "",
            };
            vec![
                escape(difference.metric.name()),
                number(difference.base),
                number(difference.other),
                format!("{:+.1} %", difference.change_percent),
                format!("{low:+.1} … {high:+.1} %"),
                format!("<span class=\"{class}\">{}</span>", difference.outcome.name()),
            ]
        })
        .collect();
    table(&["figure", "base", "other", "change", "95 % interval", "outcome"], &rows)
}

/// The first run of each side.
fn over_time(sides: &[Runs]) -> String {
    let series = sides.iter().filter_map(|side| {
        let intervals =
            side.reports.first()?.intervals.iter().filter(|interval| interval.at_s > 0.0);
        let points = intervals.map(|interval| (interval.at_s, interval.deliver.quantile_ms(0.99)));
        Some(Series { name: side.name.clone(), points: points.collect() })
    });
    Plot {
        x: Axis::Linear,
        y: Axis::Logarithmic,
        x_name: "seconds after the first send",
        y_unit: "ms",
        height: PLOT_HEIGHT,
        series: series.collect(),
        shade: None,
        limit: None,
    }
    .draw()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::{DEFAULT_NOISE_PERCENT, compare};
    use crate::page::tests::assert_well_formed;
    use crate::report::sample_report;

    #[test]
    fn the_page_is_well_formed_and_holds_differences_and_both_plots() {
        let side = |name: &str, factor| Runs {
            name: name.to_owned(),
            reports: vec![sample_report(factor)],
        };
        let sides = [side("base.json", 1.0), side("<other>.json", 1.3)];
        let comparisons = [compare(&sides[0], &sides[1], DEFAULT_NOISE_PERCENT)];
        let page = page(&sides, &comparisons);
        assert_well_formed(&page);
        assert_eq!(page.matches("<svg").count(), 2);
        assert_eq!(page.matches("class=\"curve").count(), 4);
        assert!(page.contains("<span class=\"bad\">worse</span>"), "{page}");
        assert!(page.contains("&lt;other&gt;.json") && page.contains("block bootstrap"));
    }
}
