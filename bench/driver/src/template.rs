//! Texts with holes: `%{name}`.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A text with holes.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "String")]
pub(crate) struct Template(Vec<Piece>);

#[derive(Debug, Clone)]
enum Piece {
    Text(String),
    Hole(String),
}

impl From<String> for Template {
    fn from(text: String) -> Self {
        let mut pieces = Vec::new();
        let mut rest = text.as_str();
        while let Some((before, (name, after))) =
            rest.split_once("%{").and_then(|(before, hole)| Some((before, hole.split_once('}')?)))
        {
            pieces.extend([Piece::Text(before.to_owned()), Piece::Hole(name.to_owned())]);
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Self(pieces)
    }
}

impl Template {
    /// The text with its holes filled; what has no value is left empty.
    pub(crate) fn fill(&self, values: &BTreeMap<String, String>) -> String {
        let piece = |piece: &'_ Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Hole(name) => values.get(name).cloned().unwrap_or_default(),
        };
        self.0.iter().map(piece).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_filled_and_all_else_stays() {
        let values = BTreeMap::from([("n".to_owned(), "7".to_owned())]);
        for (text, filled) in [("", ""), ("{\"a\":1}", "{\"a\":1}"), ("%{n}-%{n}%{m}!", "7-7!"), ("100%{n", "100%{n")] {
            assert_eq!(Template::from(text.to_owned()).fill(&values), filled, "{text}");
        }
    }
}
