//! Times and days as this person's computer writes them, in its time zone.

use js_sys::{Array, Date, Function, Intl, Object, Reflect};
use wasm_bindgen::JsValue;

const MS_PER_MINUTE: f64 = 60_000.0;
const MS_PER_DAY: f64 = 86_400_000.0;

/// Writes times of day and days. The formatters are made once: making one costs as much as thousands of uses.
pub struct Clock {
    time: Function,
    day: Function,
}

impl Clock {
    /// A clock in the browser's own language.
    pub fn new() -> Self {
        Self {
            time: format(&[("hour", "numeric"), ("minute", "2-digit")]),
            day: format(&[("weekday", "long"), ("day", "numeric"), ("month", "long")]),
        }
    }

    /// Hour and minute of `at`, milliseconds since the Unix epoch.
    pub fn time(&self, at: u64) -> String {
        write(&self.time, at)
    }

    /// Weekday, day and month of `at`.
    pub fn day(&self, at: u64) -> String {
        write(&self.day, at)
    }
}

/// A number for the local day of `at`: equal for two times of one day.
pub fn day_number(at: u64) -> i32 {
    let at = at as f64;
    let offset = Date::new(&JsValue::from_f64(at)).get_timezone_offset() * MS_PER_MINUTE;
    ((at - offset) / MS_PER_DAY).floor() as i32
}

/// The same for machines: what `<time datetime>` holds.
pub fn machine_time(at: u64) -> String {
    // JSON of a date is its ISO form; unlike `toISOString` it does not throw for a time that no calendar has.
    Date::new(&JsValue::from_f64(at as f64)).to_json().as_string().unwrap_or_default()
}

fn format(parts: &[(&str, &str)]) -> Function {
    let options = Object::new();
    for (part, style) in parts {
        // A fresh plain object takes every property.
        let _ = Reflect::set(&options, &JsValue::from_str(part), &JsValue::from_str(style));
    }
    Intl::DateTimeFormat::new(&Array::new(), &options).format()
}

fn write(format: &Function, at: u64) -> String {
    // Throws for a time that no calendar has; a peer can send one.
    format
        .call1(&JsValue::UNDEFINED, &JsValue::from_f64(at as f64))
        .ok()
        .and_then(|text| text.as_string())
        .unwrap_or_default()
}
