//! Long lists in parts that a browser shows at once.

/// How many rows a part has.
pub(super) const ROWS: usize = 200;

/// Which part of a list is shown, and how to get to the others.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Paging {
    /// How many rows all parts have, if that is known.
    pub(super) total: Option<usize>,
    /// The first row that is shown, counted from 1, and the last one.
    pub(super) first: usize,
    pub(super) last: usize,
    /// Where the part before it is.
    pub(super) previous: Option<String>,
    /// Where the part after it is.
    pub(super) next: Option<String>,
}

impl Paging {
    /// Part `number`, counted from 1, of a list whose length is known. A part that is not there is the last one.
    pub(super) fn of(total: usize, number: usize, address: &Address<'_>) -> Self {
        let number = number.min(total.div_ceil(ROWS).max(1));
        let first = (number - 1) * ROWS;
        let last = (first + ROWS).min(total);
        Self { total: Some(total), ..Self::new(number, last - first, last < total, address) }
    }

    /// Part `number` of a list of which only this part is known, with so many rows.
    pub(super) fn new(number: usize, rows: usize, has_more: bool, address: &Address<'_>) -> Self {
        let first = number.saturating_sub(1).saturating_mul(ROWS);
        Self {
            // The end of a list tells how long it is.
            total: (!has_more && (rows > 0 || number <= 1)).then_some(first + rows),
            first: first + usize::from(rows > 0),
            last: first + rows,
            previous: (number > 1).then(|| address.part(number - 1)),
            next: has_more.then(|| address.part(number + 1)),
        }
    }

    /// How many rows stand before this part.
    pub(super) fn skipped(&self) -> usize {
        self.first.saturating_sub(1)
    }
}

/// The address of a list, with what it is filtered by.
#[derive(Debug)]
pub(super) struct Address<'a> {
    pub(super) path: &'a str,
    pub(super) fields: &'a [(&'a str, &'a str)],
}

impl Address<'_> {
    fn part(&self, number: usize) -> String {
        let number = if number > 1 { number.to_string() } else { String::new() };
        let fields: Vec<_> = self.fields.iter().copied().chain([("page", number.as_str())]).collect();
        super::address(self.path, &fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(total: usize, number: usize) -> (usize, usize, Option<String>, Option<String>) {
        let paging = Paging::of(total, number, &Address { path: "/x", fields: &[("q", "a&b"), ("none", "")] });
        (paging.first, paging.last, paging.previous, paging.next)
    }

    #[test]
    fn a_list_that_is_not_counted_has_a_length_once_its_end_is_seen() {
        let total =
            |number, rows, has_more| Paging::new(number, rows, has_more, &Address { path: "/x", fields: &[] }).total;
        assert_eq!([total(1, ROWS, true), total(1, 6, false), total(1, 0, false)], [None, Some(6), Some(0)]);
        assert_eq!([total(3, 5, false), total(9, 0, false)], [Some(405), None]);
    }

    #[test]
    fn each_row_stands_in_one_part() {
        let at = |n: &str| Some(format!("/x?q=a%26b{n}"));
        assert_eq!(of(0, 1), (0, 0, None, None));
        assert_eq!(of(200, 1), (1, 200, None, None));
        assert_eq!(of(401, 1), (1, 200, None, at("&page=2")));
        assert_eq!(of(401, 2), (201, 400, at(""), at("&page=3")));
        assert_eq!(of(401, 3), (401, 401, at("&page=2"), None));
        assert_eq!(of(401, usize::MAX), of(401, 3));
    }
}
