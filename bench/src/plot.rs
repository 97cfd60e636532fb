//! Plots as SVG: lines over two axes, each with its name at its end.
//!
//! Owns how a plot looks: a white card, readable on any page; colours that people who see few of them can tell apart, and
//! for those who see none a mark of its own for each line. Must not know what is shown. A plot is a function of its
//! values: the same make the same file.

pub mod scale;

use std::fmt::Write;

use self::scale::{Ruler, Scale};

/// Lines over two axes.
pub struct Plot {
    /// What it shows: a line of about 70 characters at most.
    pub title: String,
    pub x: Axis,
    pub y: Axis,
    /// In the order of their colours, which so are the same in all plots of a page; up to [`COLOURS`].
    pub lines: Vec<Line>,
}

pub struct Axis {
    /// What it counts, with the unit if the labels have none, and which way is better.
    pub name: String,
    pub scale: Scale,
    /// Writes a value beside its tick.
    pub label: fn(f64) -> String,
}

pub struct Line {
    pub name: String,
    /// By x. What has no place on an axis that grows by factors, nothing and less, is left out.
    pub points: Vec<(f64, f64)>,
}

/// All in pixels, as if each were one.
const WIDTH: f64 = 780.0;
const HEIGHT: f64 = 440.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = WIDTH - 206.0;
const TOP: f64 = 74.0;
const BOTTOM: f64 = HEIGHT - 58.0;

/// Between the names of two lines, from base to base.
const LINE_HEIGHT: f64 = 17.0;

/// Of the first line, which is the one that the plot is for, and the others; dark enough for text on white.
const COLOURS: [&str; 6] = ["#0b62a8", "#b84f00", "#00745a", "#9c3c7c", "#6b5d00", "#444c56"];

impl Plot {
    /// The plot as a file of its own.
    pub fn svg(&self) -> String {
        let seen: Vec<Vec<(f64, f64)>> = self.lines.iter().map(|line| self.seen(line)).collect();
        let x = self.x.scale.ruler(seen.iter().flatten().map(|point| point.0));
        let y = self.y.scale.ruler(seen.iter().flatten().map(|point| point.1));
        let mut svg = self.card();
        self.grid(&mut svg, &x, &y);
        let place =
            |&(a, b): &(f64, f64)| (LEFT + x.place(a) * (RIGHT - LEFT), BOTTOM - y.place(b) * (BOTTOM - TOP));
        let placed: Vec<Vec<(f64, f64)>> =
            seen.iter().map(|points| points.iter().map(place).collect()).collect();
        // The first is drawn last, so that it lies on top.
        for (number, points) in placed.iter().enumerate().rev() {
            line(&mut svg, number, points);
        }
        let ends: Vec<_> = placed.iter().map(|points| points.last().copied()).collect();
        self.names(&mut svg, &ends);
        svg.push_str("</svg>\n");
        svg
    }

    /// The points that have a place on both axes.
    fn seen(&self, line: &Line) -> Vec<(f64, f64)> {
        let has_place =
            |&&(x, y): &&(f64, f64)| self.x.scale.has_place_for(x) && self.y.scale.has_place_for(y);
        line.points.iter().filter(has_place).copied().collect()
    }

    fn card(&self) -> String {
        let (title, x, y) = (escaped(&self.title), escaped(&self.x.name), escaped(&self.y.name));
        let (edge_x, edge_y, middle) = (WIDTH - 1.0, HEIGHT - 1.0, (LEFT + RIGHT) / 2.0);
        let under = BOTTOM + 42.0;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
             role=\"img\" font-family=\"system-ui, 'Segoe UI', Helvetica, Arial, sans-serif\" font-size=\"13\">\n\
             <title>{title}</title>\n\
             <rect x=\"0.5\" y=\"0.5\" width=\"{edge_x}\" height=\"{edge_y}\" rx=\"8\" fill=\"#ffffff\" stroke=\"#d0d7de\"/>\n\
             <text x=\"24\" y=\"32\" font-size=\"16\" font-weight=\"600\" fill=\"#1f2328\">{title}</text>\n\
             <text x=\"24\" y=\"53\" fill=\"#59636e\">{y}</text>\n\
             <text x=\"{middle}\" y=\"{under}\" text-anchor=\"middle\" fill=\"#59636e\">{x}</text>\n"
        )
    }

    fn grid(&self, svg: &mut String, x: &Ruler, y: &Ruler) {
        for tick in &y.ticks {
            let at = BOTTOM - y.place(tick.value) * (BOTTOM - TOP);
            let colour = if tick.labelled { "#d8dee4" } else { "#eff2f5" };
            let _ = writeln!(
                svg,
                "<line x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{RIGHT}\" y2=\"{at:.1}\" stroke=\"{colour}\"/>"
            );
            if tick.labelled {
                let (right, base, label) = (LEFT - 10.0, at + 4.5, escaped(&(self.y.label)(tick.value)));
                let _ = writeln!(
                    svg,
                    "<text x=\"{right}\" y=\"{base:.1}\" text-anchor=\"end\" fill=\"#59636e\">{label}</text>"
                );
            }
        }
        for tick in &x.ticks {
            let at = LEFT + x.place(tick.value) * (RIGHT - LEFT);
            let (low, length) = (BOTTOM, if tick.labelled { 6.0 } else { 3.0 });
            let to = low + length;
            let _ = writeln!(
                svg,
                "<line x1=\"{at:.1}\" y1=\"{low}\" x2=\"{at:.1}\" y2=\"{to}\" stroke=\"#818b98\"/>"
            );
            if tick.labelled {
                let (base, label) = (BOTTOM + 21.0, escaped(&(self.x.label)(tick.value)));
                let _ = writeln!(
                    svg,
                    "<text x=\"{at:.1}\" y=\"{base}\" text-anchor=\"middle\" fill=\"#59636e\">{label}</text>"
                );
            }
        }
        let _ = writeln!(
            svg,
            "<line x1=\"{LEFT}\" y1=\"{BOTTOM}\" x2=\"{RIGHT}\" y2=\"{BOTTOM}\" stroke=\"#818b98\"/>"
        );
    }

    /// Each line's name beside its end, moved where two would lie on each other.
    fn names(&self, svg: &mut String, ends: &[Option<(f64, f64)>]) {
        let heights: Vec<_> = ends.iter().map(|end| end.map_or(BOTTOM, |end| end.1)).collect();
        let apart = apart(&heights, TOP, BOTTOM);
        for (number, (line, end)) in self.lines.iter().zip(ends).enumerate() {
            let Some((x, y)) = *end else { continue };
            let (colour, at, name) = (colour(number), apart[number], escaped(&line.name));
            let (from, to, text) = (x + 8.0, RIGHT + 20.0, RIGHT + 24.0);
            let base = at + 4.5;
            let weight = if number == 0 { "600" } else { "400" };
            let _ = writeln!(
                svg,
                "<path d=\"M{from:.1} {y:.1}L{to} {at:.1}\" stroke=\"{colour}\" stroke-opacity=\"0.4\" fill=\"none\"/>\n\
                 <text x=\"{text}\" y=\"{base:.1}\" fill=\"{colour}\" font-weight=\"{weight}\">{name}</text>"
            );
        }
    }
}

fn line(svg: &mut String, number: usize, points: &[(f64, f64)]) {
    let (colour, width) = (colour(number), if number == 0 { 3.0 } else { 1.8 });
    let path: Vec<_> = points.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
    let path = path.join("L");
    if !path.is_empty() {
        let _ = writeln!(
            svg,
            "<path d=\"M{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\" stroke-linejoin=\"round\"/>"
        );
    }
    for &(x, y) in points {
        let _ = writeln!(svg, "<path d=\"{}\" fill=\"{colour}\" stroke=\"#ffffff\"/>", mark(number, x, y));
    }
}

fn colour(number: usize) -> &'static str {
    COLOURS[number % COLOURS.len()]
}

/// A circle, square, triangle, diamond or falling triangle around a point, in turn.
fn mark(number: usize, x: f64, y: f64) -> String {
    match number % 5 {
        0 => format!("M{:.1} {y:.1}a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z", x - 5.0),
        1 => format!("M{:.1} {:.1}h8v8h-8z", x - 4.0, y - 4.0),
        2 => format!("M{x:.1} {:.1}l5 9h-10z", y - 5.5),
        3 => format!("M{x:.1} {:.1}l5.5 5.5l-5.5 5.5l-5.5 -5.5z", y - 5.5),
        _ => format!("M{x:.1} {:.1}l5 -9h-10z", y + 5.5),
    }
}

/// Places as close to the wanted ones as can be with a line's height between each two, within both ends.
fn apart(wanted: &[f64], top: f64, bottom: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|&one, &other| wanted[one].total_cmp(&wanted[other]));
    let mut places = wanted.to_vec();
    let mut least = top;
    for &number in &order {
        places[number] = places[number].max(least);
        least = places[number] + LINE_HEIGHT;
    }
    let mut most = bottom;
    for &number in order.iter().rev() {
        places[number] = places[number].min(most);
        most = places[number] - LINE_HEIGHT;
    }
    places
}

/// Text as it stands in XML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(value: f64) -> String {
        value.to_string()
    }

    fn plot(lines: Vec<Line>) -> String {
        let axis = |name: &str| Axis { name: name.to_owned(), scale: Scale::Log10, label: plain };
        Plot { title: "CPU & <more>".to_owned(), x: axis("clients"), y: axis("µs"), lines }.svg()
    }

    fn line(name: &str, points: &[(f64, f64)]) -> Line {
        Line { name: name.to_owned(), points: points.to_vec() }
    }

    /// Where the text stands that reads `text`.
    fn place_of(svg: &str, text: &str) -> (f64, f64) {
        let element = svg.lines().find(|line| line.ends_with(&format!(">{text}</text>"))).expect("is there");
        let number = |name: &str| {
            let value = element.split(&format!(" {name}=\"")).nth(1).and_then(|rest| rest.split('"').next());
            value.and_then(|value| value.parse().ok()).expect("is a number")
        };
        (number("x"), number("y"))
    }

    #[test]
    fn a_plot_has_its_title_axes_and_the_name_of_each_line_at_its_end() {
        let svg = plot(vec![
            line("ours", &[(100.0, 2.0), (1_000.0, 5.0)]),
            line("theirs", &[(100.0, 10.0), (1_000.0, 20.0)]),
        ]);
        assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
        assert!(svg.contains("<title>CPU &amp; &lt;more&gt;</title>"));
        let (_, ours) = place_of(&svg, "ours");
        let (_, theirs) = place_of(&svg, "theirs");
        assert!(theirs < ours, "the larger value stands higher");
        assert!(place_of(&svg, "100").0 < place_of(&svg, "1000").0);
        assert_eq!(place_of(&svg, "20").1, theirs, "a line that ends at a tick has its name at that height");
    }

    #[test]
    fn names_of_lines_that_end_together_stand_apart_and_inside() {
        let places = apart(&[100.0, 101.0, 379.0, 382.0, 382.0], 74.0, 382.0);
        let mut sorted = places.clone();
        sorted.sort_by(f64::total_cmp);
        assert!(sorted.windows(2).all(|two| two[1] - two[0] >= LINE_HEIGHT - 1e-9), "{places:?}");
        assert!(places.iter().all(|place| (74.0..=382.0).contains(place)), "{places:?}");
        assert_eq!(places[0], 100.0, "who is alone is not moved");
    }

    #[test]
    fn what_has_no_place_is_left_out() {
        let with = plot(vec![line("ours", &[(1.0, 1.0), (10.0, -3.0), (100.0, 9.0)])]);
        let without = plot(vec![line("ours", &[(1.0, 1.0), (100.0, 9.0)])]);
        assert_eq!(with, without);
        assert!(!with.contains("NaN"));
        assert!(!plot(vec![line("ours", &[])]).contains(">ours<"), "a line without points has no end");
    }
}
