//! Plots as SVG: curves over a linear, logarithmic or percentile axis.
//!
//! ```text
//!   y ▲  grid lines at round values, their labels on the left
//!     │        ╭──╮       ── curve per series; a gap where there is no value
//!     │  ──────╯  ╰────   ░░ shade: what does not count (warm-up)
//!     └──────────────► x  hovering over a column tells its values (an SVG title; no script)
//! ```

use std::fmt::Write as _;

use super::frame::{escape, number};

const WIDTH: f64 = 1000.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 40.0;
/// The most columns that tell their values: more would be narrower than a finger, and make the page large.
const MAX_SPOTS: usize = 300;
/// The colours there are.
pub(super) const MAX_SERIES: usize = 5;

/// How values become places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Axis {
    Linear,
    /// Values of 0 and less are at its lower end.
    Logarithmic,
    /// Shares below 1; the distance to 1 is shrunk tenfold with each tick: 90 %, 99 %, 99.9 % …
    Percentile,
}

/// One curve.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) name: String,
    /// Ascending in x; `None`: nothing is known there.
    pub(super) points: Vec<(f64, Option<f64>)>,
}

/// A plot before it is drawn.
#[derive(Clone, Debug)]
pub(super) struct Plot {
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) x_name: &'static str,
    pub(super) y_unit: &'static str,
    pub(super) height: f64,
    pub(super) series: Vec<Series>,
    /// Stretches of x that do not count.
    pub(super) shade: Option<(f64, f64)>,
    /// A value of y that must not be exceeded.
    pub(super) limit: Option<f64>,
}

/// A linear stretch of an axis: from values (already transformed) to pixels.
#[derive(Clone, Copy, Debug)]
struct Scale {
    axis: Axis,
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    fn place(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Logarithmic => value.max(1e-3).log10(),
            Self::Percentile => -(1.0 - value).max(1e-7).log10(),
        }
    }

    /// Round values between two places, with their names.
    fn ticks(self, low: f64, high: f64) -> Vec<(f64, String)> {
        match self {
            Self::Linear => {
                let rough = ((high - low) / 6.0).max(1e-9);
                let power = 10_f64.powf(rough.log10().floor());
                let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
                let step = step.into_iter().find(|&step| step >= rough).unwrap_or(rough);
                // What rounding takes away at the ends is given back.
                let first = (low / step - 1e-6).ceil() as i64;
                let last = (high / step + 1e-6).floor() as i64;
                let ticks = first..=last.min(first + 20);
                ticks
                    .map(|tick| tick as f64 * step)
                    .map(|value| (value, tick_name(value)))
                    .collect()
            }
            Self::Logarithmic => {
                // Few decades: also their halves and fifths.
                let factors: &[f64] = if high - low > 2.5 { &[1.0] } else { &[1.0, 2.0, 5.0] };
                let decades = low.floor() as i32..=high.ceil() as i32;
                let values = decades.flat_map(|decade| {
                    factors.iter().map(move |factor| factor * 10_f64.powi(decade))
                });
                let inside =
                    values.filter(|value| (low - 1e-9..=high + 1e-9).contains(&value.log10()));
                inside.map(|value| (value.log10(), tick_name(value))).collect()
            }
            Self::Percentile => {
                let nines = (0..=7).map(|nines| {
                    let share = 1.0 - 10_f64.powi(-nines);
                    let name = match nines {
                        0 => "0".to_owned(),
                        1 => "90".to_owned(),
                        2 => "99".to_owned(),
                        nines => format!("99.{}", "9".repeat(nines as usize - 2)),
                    };
                    (Self::Percentile.place(share), format!("{name} %"))
                });
                nines.filter(|(place, _)| (low - 1e-9..=high + 1e-9).contains(place)).collect()
            }
        }
    }
}

/// A round number without zeros that say nothing.
fn tick_name(value: f64) -> String {
    let name = number(value);
    if name.contains('.') {
        name.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        name
    }
}

impl Scale {
    fn new(axis: Axis, values: impl Iterator<Item = f64>, (from, to): (f64, f64)) -> Self {
        let places = values.filter(|value| value.is_finite()).map(|value| axis.place(value));
        let (low, high) = places
            .fold((f64::MAX, f64::MIN), |(low, high), place| (low.min(place), high.max(place)));
        let (low, high) = if low > high { (0.0, 1.0) } else { (low, high) };
        let room = if high - low < 1e-9 { 1.0 } else { 0.0 };
        Self { axis, low, high: high + room, from, to }
    }

    fn at(&self, value: f64) -> f64 {
        self.at_place(self.axis.place(value))
    }

    fn at_place(&self, place: f64) -> f64 {
        let share = ((place - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        self.from + share * (self.to - self.from)
    }
}

impl Plot {
    /// The plot with its legend.
    pub(super) fn draw(&self) -> String {
        let right = WIDTH - RIGHT;
        let bottom = self.height - BOTTOM;
        let xs = self.series.iter().flat_map(|series| series.points.iter().map(|point| point.0));
        let x = Scale::new(self.x, xs, (LEFT, right));
        let ys =
            self.series.iter().flat_map(|series| series.points.iter().filter_map(|point| point.1));
        let ys = ys.chain(self.limit);
        // A linear axis begins at 0: else small differences would look large.
        let zero = (self.y == Axis::Linear).then_some(0.0);
        let mut y = Scale::new(self.y, ys.chain(zero), (bottom, TOP));
        y.high += (y.high - y.low) * 0.05;

        let mut svg = self.legend();
        // Writing to a String cannot fail.
        let _ = writeln!(
            svg,
            "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"{}\">",
            self.height,
            escape(
                &self
                    .series
                    .iter()
                    .map(|series| series.name.as_str())
                    .collect::<Vec<_>>()
                    .join(", ")
            )
        );
        if let Some((from, to)) = self.shade {
            let (from, to) = (x.at(from), x.at(to));
            let _ = writeln!(
                svg,
                "<rect class=\"shade\" x=\"{from:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{:.1}\"/>",
                (to - from).max(0.0),
                bottom - TOP
            );
        }
        self.draw_axes(&mut svg, &x, &y);
        if let Some(limit) = self.limit {
            let at = y.at(limit);
            let _ = writeln!(
                svg,
                "<line class=\"limit\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{at:.1}\" y2=\"{at:.1}\">\
                 <title>threshold: {} {}</title></line>",
                number(limit),
                self.y_unit
            );
        }
        for (index, series) in self.series.iter().enumerate() {
            draw_curve(&mut svg, index, series, &x, &y);
        }
        self.draw_spots(&mut svg, &x);
        svg + "</svg>\n"
    }

    fn legend(&self) -> String {
        let keys = self.series.iter().enumerate().map(|(index, series)| {
            format!(
                "<span><i class=\"k{}\"></i>{}</span>",
                index % MAX_SERIES,
                escape(&series.name)
            )
        });
        format!(
            "<div class=\"legend\">{}<span>{}</span></div>\n",
            keys.collect::<String>(),
            escape(self.y_unit)
        )
    }

    fn draw_axes(&self, svg: &mut String, x: &Scale, y: &Scale) {
        let (right, bottom) = (WIDTH - RIGHT, self.height - BOTTOM);
        for (place, name) in self.y.ticks(y.low, y.high) {
            let at = y.at_place(place);
            let _ = writeln!(
                svg,
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{name}</text>",
                LEFT - 8.0,
                at + 4.0
            );
        }
        for (place, name) in self.x.ticks(x.low, x.high) {
            let at = x.at_place(place);
            let _ = writeln!(
                svg,
                "<line class=\"grid\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{TOP}\" y2=\"{bottom}\"/>\
                 <text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{name}</text>",
                bottom + 17.0
            );
        }
        let _ = writeln!(
            svg,
            "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{bottom}\" y2=\"{bottom}\"/>\
             <text x=\"{right}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            self.height - 6.0,
            escape(self.x_name)
        );
    }

    /// Invisible columns that tell the values at their place. All series have the same places then.
    fn draw_spots(&self, svg: &mut String, x: &Scale) {
        let Some(first) = self.series.first() else { return };
        let is_shared = self.series.iter().all(|series| {
            series.points.len() == first.points.len()
                && series
                    .points
                    .iter()
                    .zip(&first.points)
                    .all(|(one, two)| one.0.to_bits() == two.0.to_bits())
        });
        if !is_shared || first.points.len() > MAX_SPOTS {
            return;
        }
        let places: Vec<f64> = first.points.iter().map(|point| x.at(point.0)).collect();
        for (index, place) in places.iter().enumerate() {
            let before = index.checked_sub(1).and_then(|index| places.get(index)).unwrap_or(place);
            let after = places.get(index + 1).unwrap_or(place);
            let (from, to) = (f64::midpoint(*before, *place), f64::midpoint(*place, *after));
            let values = self.series.iter().filter_map(|series| {
                let value = series.points[index].1?;
                Some(format!("\n{}: {} {}", series.name, number(value), self.y_unit))
            });
            let head = match self.x {
                Axis::Percentile => format!("{} %", first.points[index].0 * 100.0),
                _ => format!("{} {}", number(first.points[index].0), self.x_name),
            };
            let _ = writeln!(
                svg,
                "<rect class=\"spot\" x=\"{from:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{:.1}\"><title>{}</title></rect>",
                (to - from).max(1.0),
                self.height - BOTTOM - TOP,
                escape(&(head + &values.collect::<String>()))
            );
        }
    }
}

fn draw_curve(svg: &mut String, index: usize, series: &Series, x: &Scale, y: &Scale) {
    let mut path = String::new();
    let mut is_drawing = false;
    for (at, value) in &series.points {
        match value {
            Some(value) if value.is_finite() => {
                let command = if is_drawing { 'L' } else { 'M' };
                let _ = write!(path, "{command}{:.1} {:.1}", x.at(*at), y.at(*value));
                if !is_drawing {
                    // A point without neighbours is seen as well: a line of no length has round ends.
                    path.push_str("h0");
                }
                is_drawing = true;
            }
            _ => is_drawing = false,
        }
    }
    if !path.is_empty() {
        let _ = writeln!(svg, "<path class=\"curve s{}\" d=\"{path}\"/>", index % MAX_SERIES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(x: Axis, y: Axis, points: Vec<(f64, Option<f64>)>) -> Plot {
        Plot {
            x,
            y,
            x_name: "s",
            y_unit: "ms",
            height: 300.0,
            series: vec![Series { name: "a <series>".to_owned(), points }],
            shade: Some((0.0, 1.0)),
            limit: Some(5.0),
        }
    }

    #[test]
    fn ticks_are_round_and_inside() {
        let names = |axis: Axis, low, high| -> Vec<_> {
            axis.ticks(low, high).into_iter().map(|(_, name)| name).collect()
        };
        assert_eq!(names(Axis::Linear, 0.0, 10.0), ["0", "2", "4", "6", "8", "10"]);
        assert_eq!(names(Axis::Linear, -1.3, 2.0), ["-1", "0", "1", "2"]);
        assert_eq!(names(Axis::Linear, 0.0, 1.2), ["0", "0.2", "0.4", "0.6", "0.8", "1", "1.2"]);
        assert_eq!(names(Axis::Logarithmic, 0.0, 1.0), ["1", "2", "5", "10"]);
        assert_eq!(names(Axis::Logarithmic, -1.0, 3.0), ["0.1", "1", "10", "100", "1000"]);
        assert_eq!(names(Axis::Percentile, 0.0, 3.0), ["0 %", "90 %", "99 %", "99.9 %"]);
    }

    #[test]
    fn curves_break_where_nothing_is_known() {
        let points = vec![(0.0, Some(1.0)), (1.0, Some(2.0)), (2.0, None), (3.0, Some(10.0))];
        let svg = plot(Axis::Linear, Axis::Logarithmic, points).draw();
        let path = svg.split("d=\"").nth(1).unwrap().split('"').next().unwrap();
        assert_eq!(path.matches('M').count(), 2, "{path}");
        assert_eq!(path.matches('L').count(), 1, "{path}");
        assert_eq!(svg.matches("class=\"spot\"").count(), 4);
        assert!(svg.contains("a &lt;series&gt;") && !svg.contains("<series>"));
    }

    #[test]
    fn nothing_makes_a_plot_that_is_empty_and_sound() {
        for points in
            [vec![], vec![(1.0, None)], vec![(1.0, Some(0.0))], vec![(1.0, Some(f64::NAN))]]
        {
            for y in [Axis::Linear, Axis::Logarithmic] {
                let svg = plot(Axis::Linear, y, points.clone()).draw();
                assert!(svg.contains("<svg") && svg.ends_with("</svg>\n"));
                let curves: Vec<_> = svg.lines().filter(|line| line.starts_with("<path")).collect();
                assert!(!curves.concat().contains("NaN"), "{svg}");
            }
        }
    }
}
