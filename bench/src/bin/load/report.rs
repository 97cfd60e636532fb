//! What was found: rows for people, one JSON object for tools; and what was wrong.

use hdrhistogram::Histogram;
use std::fmt::{Display, Formatter, Write};

enum Value {
    Count(i64),
    Figure(f64),
    Text(String),
}

/// Rows in the order in which they are shown, and faults: what must not be where servers do what they should.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<(String, Value, &'static str)>,
    faults: Vec<String>,
}

impl Report {
    pub(crate) fn text(&mut self, key: &str, value: &str) {
        self.rows.push((key.to_owned(), Value::Text(value.to_owned()), ""));
    }

    pub(crate) fn count(&mut self, key: &str, value: impl TryInto<i64>, unit: &'static str) {
        self.rows.push((key.to_owned(), Value::Count(value.try_into().unwrap_or(i64::MAX)), unit));
    }

    pub(crate) fn figure(&mut self, key: &str, value: f64, unit: &'static str) {
        self.rows.push((key.to_owned(), Value::Figure(value), unit));
    }

    /// Microseconds of a histogram of nanoseconds, as `{key}_p50` and so on. Nothing if it is empty.
    pub(crate) fn times(&mut self, key: &str, times: &Histogram<u64>) {
        if times.is_empty() {
            return;
        }
        for (name, quantile) in [("p50", 0.5), ("p99", 0.99), ("p999", 0.999), ("max", 1.0)] {
            self.figure(&format!("{key}_{name}"), times.value_at_quantile(quantile) as f64 / 1_000.0, "us");
        }
    }

    /// A count that must be nothing.
    pub(crate) fn none(&mut self, key: &str, value: i64, unit: &'static str) {
        self.count(key, value, unit);
        if value != 0 {
            self.fault(format!("{value} {}", key.replace('_', " ")));
        }
    }

    /// The rows and faults of another one.
    pub(crate) fn append(&mut self, other: Self) {
        self.rows.extend(other.rows);
        self.faults.extend(other.faults);
    }

    pub(crate) fn fault(&mut self, what: String) {
        self.faults.push(what);
    }

    pub(crate) fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    /// One JSON object.
    pub(crate) fn json(&self) -> String {
        let mut out = String::from("{");
        for (key, value, _) in &self.rows {
            write!(out, "\"{key}\":").expect("memory takes everything");
            match value {
                Value::Count(count) => write!(out, "{count},"),
                Value::Figure(figure) if figure.is_finite() => write!(out, "{figure:.4},"),
                Value::Figure(_) => write!(out, "null,"),
                Value::Text(text) => write!(out, "{},", Quoted(text)),
            }
            .expect("memory takes everything");
        }
        let faults: Vec<_> = self.faults.iter().map(|fault| Quoted(fault).to_string()).collect();
        out + &format!("\"sound\":{},\"faults\":[{}]}}", self.is_sound(), faults.join(","))
    }
}

/// The table.
impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        for (key, value, unit) in &self.rows {
            match value {
                Value::Count(count) => writeln!(f, "{key:<34} {count:>16} {unit}")?,
                Value::Figure(figure) => writeln!(f, "{key:<34} {figure:>16.2} {unit}")?,
                Value::Text(text) => writeln!(f, "{key:<34} {text:>16} {unit}")?,
            }
        }
        self.faults.iter().try_for_each(|fault| writeln!(f, "FAULT: {fault}"))
    }
}

/// A text as it stands in JSON.
struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_char('"')?;
        for char in self.0.chars() {
            match char {
                '"' | '\\' => write!(f, "\\{char}")?,
                '\0'..' ' => write!(f, "\\u{:04x}", char as u32)?,
                _ => f.write_char(char)?,
            }
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_one_object_that_says_whether_it_is_sound() {
        let mut report = Report::default();
        report.text("mode", "a \"b\"\n");
        report.count("clients", 3, "");
        report.figure("rate", 1.5, "1/s");
        report.figure("ratio", f64::NAN, "");
        report.none("lost", 0, "deliveries");
        let rows = r#""mode":"a \"b\"\u000a","clients":3,"rate":1.5000,"ratio":null,"lost":0,"#;
        assert_eq!(report.json(), format!("{{{rows}\"sound\":true,\"faults\":[]}}"));
        report.none("out_of_order", 2, "");
        let rows = format!("{rows}\"out_of_order\":2,");
        assert_eq!(report.json(), format!(r#"{{{rows}"sound":false,"faults":["2 out of order"]}}"#));
        assert!(report.to_string().ends_with("FAULT: 2 out of order\n"));
    }
}
