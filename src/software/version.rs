//! Which of two versions is newer: Debian's order (`deb-version(7)`) and rpm's (`rpm-version(7)`, `rpmvercmp`).

use std::cmp::Ordering;

/// Orders two upstream versions or two revisions as dpkg does: a tilde sorts before the end, letters before other
/// characters, digits as numbers. A missing part equals an empty one and equals `0`.
pub fn debian_order(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    while !a.is_empty() || !b.is_empty() {
        loop {
            let (x, y) = (debian_weight(a.first()), debian_weight(b.first()));
            if x != y {
                return x.cmp(&y);
            }
            if x == 0 {
                break;
            }
            (a, b) = (rest(a), rest(b));
        }
        let (left, right);
        (left, a) = split_digits(a);
        (right, b) = split_digits(b);
        match number_order(left, right) {
            Ordering::Equal => {}
            other => return other,
        }
    }
    Ordering::Equal
}

/// Where a character stands in the non-digit part: the end and digits weigh nothing, a tilde less than nothing.
fn debian_weight(byte: Option<&u8>) -> i32 {
    match byte {
        None | Some(b'0'..=b'9') => 0,
        Some(b'~') => -1,
        Some(b) if b.is_ascii_alphabetic() => i32::from(*b),
        Some(b) => i32::from(*b) + 256,
    }
}

/// Orders two versions or two releases as rpm does: only runs of digits and of letters count, a number is newer than
/// letters, `~` sorts before the end and `^` after it.
pub fn rpm_order(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        a = skip_separators(a);
        b = skip_separators(b);
        match (a.first(), b.first()) {
            (Some(b'~'), Some(b'~')) | (Some(b'^'), Some(b'^')) => {
                (a, b) = (rest(a), rest(b));
                continue;
            }
            (Some(b'~'), _) => return Ordering::Less,
            (_, Some(b'~')) => return Ordering::Greater,
            (Some(b'^'), None) => return Ordering::Greater,
            (None, Some(b'^')) => return Ordering::Less,
            (Some(b'^'), _) => return Ordering::Less,
            (_, Some(b'^')) => return Ordering::Greater,
            (None, None) => return Ordering::Equal,
            (None, _) => return Ordering::Less,
            (_, None) => return Ordering::Greater,
            (Some(x), Some(y)) => match (x.is_ascii_digit(), y.is_ascii_digit()) {
                (true, false) => return Ordering::Greater,
                (false, true) => return Ordering::Less,
                (numbers, _) => {
                    let split = if numbers { split_digits } else { split_letters };
                    let (left, right);
                    (left, a) = split(a);
                    (right, b) = split(b);
                    let order = if numbers { number_order(left, right) } else { left.cmp(right) };
                    if order != Ordering::Equal {
                        return order;
                    }
                }
            },
        }
    }
}

fn skip_separators(text: &[u8]) -> &[u8] {
    let skip = text.iter().take_while(|b| !b.is_ascii_alphanumeric() && !matches!(b, b'~' | b'^')).count();
    text.get(skip..).unwrap_or_default()
}

fn rest(text: &[u8]) -> &[u8] {
    text.get(1..).unwrap_or_default()
}

fn split_digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|b| b.is_ascii_digit()).count())
}

fn split_letters(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|b| b.is_ascii_alphabetic()).count())
}

/// Orders two runs of digits of any length as numbers; no digits are 0.
fn number_order(a: &[u8], b: &[u8]) -> Ordering {
    let strip = |digits: &[u8]| digits.iter().take_while(|b| **b == b'0').count();
    let (a, b) = (a.get(strip(a)..).unwrap_or_default(), b.get(strip(b)..).unwrap_or_default());
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;
    use proptest::test_runner::{Config, TestRunner};

    use super::*;

    #[test]
    fn debian_pairs() {
        for (a, b, order) in [
            ("1.0", "1.0", Ordering::Equal),
            ("1.0~rc1", "1.0", Ordering::Less),
            ("1.0~~", "1.0~", Ordering::Less),
            ("1.0a", "1.0+", Ordering::Less),
            ("1.10", "1.9", Ordering::Greater),
            ("", "0", Ordering::Equal),
            ("1.002", "1.2", Ordering::Equal),
            ("99999999999999999999999", "100000000000000000000000", Ordering::Less),
        ] {
            assert_eq!(debian_order(a, b), order, "{a} {b}");
            assert_eq!(debian_order(b, a), order.reverse(), "{b} {a}");
        }
    }

    #[test]
    fn rpm_pairs() {
        for (a, b, order) in [
            ("1.0", "1.0", Ordering::Equal),
            ("1.0~rc1", "1.0", Ordering::Less),
            ("1.0^git1", "1.0", Ordering::Greater),
            ("1.0^git1", "1.0.1", Ordering::Less),
            ("1.0^", "1.0~", Ordering::Greater),
            ("1.0a", "1.0", Ordering::Greater),
            ("1.a", "1.1", Ordering::Less),
            ("1_0", "1.0", Ordering::Equal),
            ("2", "10", Ordering::Less),
        ] {
            assert_eq!(rpm_order(a, b), order, "{a} {b}");
            assert_eq!(rpm_order(b, a), order.reverse(), "{b} {a}");
        }
    }

    #[test]
    fn debian_order_is_that_of_dpkg() {
        let mut runner = TestRunner::new(Config::with_cases(200));
        let part = "[0-9][0-9a-c.+~]{0,6}";
        runner
            .run(&(part, part), |(a, b)| {
                let less = |x: &str, y: &str| {
                    Command::new("dpkg").args(["--compare-versions", x, "lt", y]).status().unwrap().success()
                };
                let theirs = match (less(&a, &b), less(&b, &a)) {
                    (true, _) => Ordering::Less,
                    (_, true) => Ordering::Greater,
                    _ => Ordering::Equal,
                };
                prop_assert_eq!(debian_order(&a, &b), theirs);
                Ok(())
            })
            .unwrap();
    }

    #[test]
    fn rpm_order_is_that_of_rpm() {
        let mut runner = TestRunner::new(Config::with_cases(20));
        let pairs = proptest::collection::vec(("[0-9a-c][0-9a-c._+~^]{0,6}", "[0-9a-c][0-9a-c._+~^]{0,6}"), 40);
        runner
            .run(&pairs, |pairs| {
                // One call answers many pairs: each answer is -1, 0 or 1.
                let script: String =
                    pairs.iter().map(|(a, b)| format!("print(rpm.vercmp(\"{a}\",\"{b}\") .. \" \")")).collect();
                let output = Command::new("rpm").args(["--eval", &format!("%{{lua: {script}}}")]).output().unwrap();
                let text = String::from_utf8(output.stdout).unwrap();
                let theirs: Vec<i32> = text.split_whitespace().map(|w| w.parse().unwrap()).collect();
                let ours: Vec<i32> = pairs.iter().map(|(a, b)| rpm_order(a, b) as i32).collect();
                prop_assert_eq!(ours, theirs);
                Ok(())
            })
            .unwrap();
    }
}
