//! A moment as `Date.toJSON` of JavaScript writes it.

/// The furthest moment from 1970 that JavaScript knows, in milliseconds.
const FURTHEST: u64 = 8_640_000_000_000_000;
const MILLIS_PER_DAY: i64 = 24 * 60 * 60 * 1_000;
/// Days in 400 years: after them the calendar repeats itself.
const DAYS_PER_ERA: i64 = 146_097;
/// Days from the first of March of the year 0 to 1970.
const DAYS_TO_1970: i64 = 719_468;

/// Writes the moment `millis` after 1970 as a JSON string; what is no moment is `null`, as in JavaScript.
pub(super) fn write(millis: i64, out: &mut String) {
    if millis.unsigned_abs() > FURTHEST {
        return out.push_str("null");
    }
    let (year, month, day) = civil(millis.div_euclid(MILLIS_PER_DAY));
    let time = millis.rem_euclid(MILLIS_PER_DAY);
    let (hour, minute, second, millis) =
        (time / 3_600_000, time / 60_000 % 60, time / 1_000 % 60, time % 1_000);
    let year = match year {
        0..=9_999 => format!("{year:04}"),
        _ => format!("{year:+07}"),
    };
    out.push_str(&format!("\"{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z\""));
}

/// The date of a day that is so many days after 1970: years are counted from March, so that a leap day is their last.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + DAYS_TO_1970;
    let (era, day) = (days.div_euclid(DAYS_PER_ERA), days.rem_euclid(DAYS_PER_ERA));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let year = year + era * 400 + i64::from(month >= 10);
    (year, if month < 10 { month + 3 } else { month - 9 }, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_javascript_does() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (951_827_696_789, "2000-02-29T12:34:56.789Z"),
            (1_785_542_400_000, "2026-08-01T00:00:00.000Z"),
            (-62_167_219_200_001, "-000001-12-31T23:59:59.999Z"),
            (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
            (253_402_300_800_000, "+010000-01-01T00:00:00.000Z"),
            (8_640_000_000_000_000, "+275760-09-13T00:00:00.000Z"),
            (-8_640_000_000_000_000, "-271821-04-20T00:00:00.000Z"),
        ] {
            let mut out = String::new();
            write(millis, &mut out);
            assert_eq!(out, format!("\"{text}\""), "{millis}");
        }
        for millis in [8_640_000_000_000_001, i64::MIN, i64::MAX] {
            let mut out = String::new();
            write(millis, &mut out);
            assert_eq!(out, "null", "{millis}");
        }
    }
}
