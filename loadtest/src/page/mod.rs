//! Reports as pages: one HTML file that needs nothing from elsewhere and runs no script.
//!
//! ```text
//!   report  ──► run     figures, percentiles, plots over time ──┐
//!   reports ──► versus  differences, percentiles of all ────────┤
//!                                          plot: SVG ◄──────────┴──► frame: the page around it
//! ```
//!
//! Whatever comes from outside (names, addresses, errors) is escaped on its way into the page.

mod frame;
mod plot;
pub mod run;
pub mod versus;

#[cfg(test)]
mod tests {
    /// Every element is closed, in the right order: the page is XML as well, but for its first line.
    pub(super) fn assert_well_formed(page: &str) {
        let markup = page.strip_prefix("<!DOCTYPE html>\n").unwrap();
        let mut open: Vec<&str> = Vec::new();
        let mut rest = markup;
        while let Some(begin) = rest.find('<') {
            let end = begin
                + rest[begin..]
                    .find('>')
                    .unwrap_or_else(|| panic!("an open tag: {}", &rest[begin..]));
            let tag = &rest[begin + 1..end];
            assert!(!tag.contains('<'), "{tag}");
            rest = &rest[end + 1..];
            if let Some(name) = tag.strip_prefix('/') {
                assert_eq!(open.pop(), Some(name), "behind {:?}", &rest[..rest.len().min(80)]);
            } else if !tag.ends_with('/') {
                assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
                open.push(tag.split_whitespace().next().unwrap());
            }
        }
        assert_eq!(open, Vec::<&str>::new());
        for (index, _) in page.match_indices('&') {
            let name = &page[index + 1..].split(';').next().unwrap();
            assert!(["amp", "lt", "gt", "quot", "#39"].contains(name), "&{name}");
        }
    }
}
