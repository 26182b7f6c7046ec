//! Dates of HTTP (RFC 9110, section 5.6.7).

use alloc::vec::Vec;

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY: u64 = 86_400;
/// The end of the year 9999, from which on a date has no four digits for its year: seconds since 1970.
const END: u64 = 253_402_300_800;

/// A point in time, in whole seconds since the beginning of 1970, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub u64);

/// Year, month and day of the month from 1, of a day since 1970. The years begin with March here, so that a leap day is a year's last.
fn civil(days: u64) -> (u64, u64, u64) {
    // From the first of March of the year 0, in eras of 400 years.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

/// Days from 1970 to that day; `None` if it is before.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let year = year.checked_sub(u64::from(month <= 2))?;
    let (era, year) = (year / 400, year % 400);
    let month = if month > 2 { month - 3 } else { month + 9 };
    let day = year * 365 + year / 4 - year / 100 + (153 * month + 2) / 5 + day.checked_sub(1)?;
    (era * 146_097 + day).checked_sub(719_468)
}

impl Moment {
    /// Appends it as `Sun, 06 Nov 1994 08:49:37 GMT`.
    pub(crate) fn write(self, into: &mut Vec<u8>) {
        let seconds = self.0.min(END - 1);
        let (number, second) = (seconds / DAY, seconds % DAY);
        let (year, month, day) = civil(number);
        // The first day was a Thursday.
        let name = |names: &[&'static str], place: u64| {
            usize::try_from(place).ok().and_then(|place| names.get(place).copied()).unwrap_or_default()
        };
        into.extend(name(&DAYS, (number + 4) % 7).as_bytes());
        into.extend(b", ");
        write_digits(into, day, 2);
        into.push(b' ');
        into.extend(name(&MONTHS, month - 1).as_bytes());
        into.push(b' ');
        write_digits(into, year, 4);
        for (value, before) in [(second / 3_600, b' '), (second / 60 % 60, b':'), (second % 60, b':')] {
            into.push(before);
            write_digits(into, value, 2);
        }
        into.extend(b" GMT");
    }
}

fn write_digits(into: &mut Vec<u8>, value: u64, count: u32) {
    for place in (0..count).rev() {
        let digit = value / 10_u64.pow(place) % 10;
        into.push(b'0' + u8::try_from(digit).unwrap_or_default());
    }
}

/// The moment that a date says, in any of the three forms that a recipient has to know; `None` if it is in none of them, or before 1970.
#[must_use]
pub fn parse_date(text: &[u8], now: Moment) -> Option<Moment> {
    let text = core::str::from_utf8(text).ok()?;
    let parts = match text.split_once(", ") {
        // Sun, 06 Nov 1994 08:49:37 GMT
        Some((name, rest)) if DAYS.contains(&name) => {
            let [day, month, year, time, zone] = words(rest, ' ')?;
            (zone == "GMT" && year.len() == 4).then_some((digits(year, 4)?, month, digits(day, 2)?, time))?
        }
        // Sunday, 06-Nov-94 08:49:37 GMT
        Some((name, rest)) if name.ends_with("day") && DAYS.iter().any(|day| name.starts_with(day)) => {
            let [date, time, zone] = words(rest, ' ')?;
            let [day, month, year] = words(date, '-')?;
            let (this, _, _) = civil(now.0.min(END - 1) / DAY);
            let year = this / 100 * 100 + digits(year, 2)?;
            // More than 50 years ahead is the most recent year with these digits in the past.
            let year = if year > this + 50 { year - 100 } else { year };
            (zone == "GMT").then_some((year, month, digits(day, 2)?, time))?
        }
        Some(_) => return None,
        // Sun Nov  6 08:49:37 1994
        None => {
            let (name, rest) = text.split_once(' ')?;
            let (month, rest) = rest.split_once(' ')?;
            let (day, rest) = rest.split_at_checked(2)?;
            let [time, year] = words(rest.strip_prefix(' ')?, ' ')?;
            let day = day.strip_prefix(' ').map_or_else(|| digits(day, 2), |day| digits(day, 1))?;
            DAYS.contains(&name).then_some((digits(year, 4)?, month, day, time))?
        }
    };
    moment(parts)
}

fn moment((year, month, day, time): (u64, &str, u64, &str)) -> Option<Moment> {
    let month = 1 + MONTHS.iter().position(|name| *name == month)? as u64;
    let [hour, minute, second] = words(time, ':')?;
    let (hour, minute, second) = (digits(hour, 2)?, digits(minute, 2)?, digits(second, 2)?);
    let days = days(year, month, day)?;
    // A day that the month does not have is another one; a leap second is the next.
    let is_there = civil(days) == (year, month, day) && hour < 24 && minute < 60 && second <= 60;
    is_there.then_some(Moment(days * DAY + hour * 3_600 + minute * 60 + second))
}

/// Exactly so many words.
fn words<const COUNT: usize>(text: &str, between: char) -> Option<[&str; COUNT]> {
    let (mut words, mut count) = ([""; COUNT], 0);
    for word in text.split(between) {
        *words.get_mut(count)? = word;
        count += 1;
    }
    (count == COUNT).then_some(words)
}

/// The value of exactly so many digits.
fn digits(text: &str, count: usize) -> Option<u64> {
    let is_number = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Moment = Moment(1_800_000_000);

    fn text(moment: u64) -> std::string::String {
        let mut bytes = Vec::new();
        Moment(moment).write(&mut bytes);
        std::string::String::from_utf8(bytes).expect("ASCII")
    }

    #[test]
    fn dates_are_written_and_all_three_forms_read() {
        for (moment, date) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
            (END - 1, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] {
            assert_eq!(text(moment), date);
            assert_eq!(parse_date(date.as_bytes(), NOW), Some(Moment(moment)), "{date}");
        }
        let same = Some(Moment(784_111_777));
        assert_eq!(parse_date(b"Sunday, 06-Nov-94 08:49:37 GMT", NOW), same);
        assert_eq!(parse_date(b"Sun Nov  6 08:49:37 1994", NOW), same);
        assert_eq!(parse_date(b"Wednesday, 01-Jan-30 00:00:00 GMT", NOW), Some(Moment(1_893_456_000)));
        assert_eq!(text(u64::MAX), text(END - 1));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for bad in [
            "",
            ",",
            "now",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Wed, 00 Mar 2000 00:00:00 GMT",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, 06 Nov 1969 08:49:37 GMT",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun,  06 Nov 1994 08:49:37 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
            "Sun Nov 6 08:49:37 1994",
            "Sun Nov é 08:49:37 1994",
            "Sun Nov",
        ] {
            assert_eq!(parse_date(bad.as_bytes(), NOW), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(moment in 0..END) {
            prop_assert_eq!(parse_date(text(moment).as_bytes(), NOW), Some(Moment(moment)));
        }

        #[test]
        fn arbitrary_bytes_do_no_harm(bytes: Vec<u8>, now: u64) {
            let _ = parse_date(&bytes, Moment(now));
        }
    }
}
