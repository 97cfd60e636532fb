//! What was found: rows for people, one JSON object for tools; and what was wrong.

use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};
use std::fmt::{Display, Formatter};

/// Rows in the order in which they are shown, and faults: what must not be where servers do what they should.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<(String, Value, &'static str)>,
    faults: Vec<String>,
}

impl Report {
    pub(crate) fn text(&mut self, key: &str, value: &str) {
        self.rows.push((key.to_owned(), Value::from(value), ""));
    }

    pub(crate) fn count(&mut self, key: &str, value: impl TryInto<i64>, unit: &'static str) {
        self.rows.push((key.to_owned(), Value::from(value.try_into().unwrap_or(i64::MAX)), unit));
    }

    pub(crate) fn figure(&mut self, key: &str, value: f64, unit: &'static str) {
        self.rows.push((key.to_owned(), Value::from(value), unit));
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

    /// One JSON object. A figure that is no number is null.
    pub(crate) fn json(&self) -> Value {
        let mut rows: Map<_, _> =
            self.rows.iter().map(|(key, value, _)| (key.clone(), value.clone())).collect();
        rows.insert("sound".to_owned(), json!(self.is_sound()));
        rows.insert("faults".to_owned(), json!(self.faults));
        Value::Object(rows)
    }
}

/// The table.
impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        for (key, value, unit) in &self.rows {
            match value {
                Value::String(text) => writeln!(f, "{key:<34} {text:>16} {unit}")?,
                Value::Number(number) if number.is_f64() => {
                    writeln!(f, "{key:<34} {:>16.2} {unit}", number.as_f64().unwrap_or(f64::NAN))?;
                }
                other => writeln!(f, "{key:<34} {:>16} {unit}", other.to_string())?,
            }
        }
        self.faults.iter().try_for_each(|fault| writeln!(f, "FAULT: {fault}"))
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
        let mut expected = json!({
            "mode": "a \"b\"\n", "clients": 3, "rate": 1.5, "ratio": null, "lost": 0, "sound": true, "faults": [],
        });
        assert_eq!(report.json(), expected);
        report.none("out_of_order", 2, "");
        expected["out_of_order"] = json!(2);
        expected["sound"] = json!(false);
        expected["faults"] = json!(["2 out of order"]);
        assert_eq!(report.json(), expected);
        let table = report.to_string();
        assert!(table.contains("clients                                           3 \n"), "{table}");
        assert!(table.contains("rate                                           1.50 1/s\n"), "{table}");
        assert!(table.ends_with("FAULT: 2 out of order\n"), "{table}");
    }
}
