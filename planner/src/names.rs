//! Names for people.

/// `text` without the qualifiers that tell the columns of operators apart: `max(map_lua@1:28.n)`
/// becomes `max(n)`.
pub fn plain_names(text: &str) -> String {
    const OPERATORS: [&str; 4] = ["flatmap_lua@", "map_lua@", "reduce_lua@", "pipe@"];
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let follows_name = plain.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let operators = OPERATORS.iter().filter_map(|operator| rest.strip_prefix(operator));
        let mut places = operators.chain(behind_parse(rest)).filter(|_| !follows_name);
        let qualifier = places.find_map(|place| {
            let end = place.find(|c: char| !c.is_ascii_digit() && c != ':')?;
            place[end..].strip_prefix('.').filter(|_| end > 0)
        });
        match qualifier {
            Some(behind) => rest = behind,
            None => {
                plain.push(character);
                rest = &rest[character.len_utf8()..];
            }
        }
    }
    plain
}

/// What stands behind `parse_combined@`, whose second word is any name of a format.
fn behind_parse(text: &str) -> Option<&str> {
    let format = text.strip_prefix("parse_")?;
    let (name, place) = format.split_once('@')?;
    let is_name = name.chars().all(|c| c.is_alphanumeric() || c == '_');
    (is_name && !name.is_empty()).then_some(place)
}

#[cfg(test)]
mod tests {
    use super::plain_names;

    #[test]
    fn only_places_of_operators_go() {
        let check = |text, expected| assert_eq!(plain_names(text), expected);
        check("max(map_lua@1:28.n)", "max(n)");
        check("sum(pipe@1:24.n) + flatmap_lua@12:3.é", "sum(n) + é");
        check("count(parse_nginx_error@3:1.ip)", "count(ip)");
        check("parse_@1:2.x", "parse_@1:2.x");
        check("pipe@home.org", "pipe@home.org");
        check("my_pipe@1:2.x", "my_pipe@1:2.x");
        check("pipe@1:2", "pipe@1:2");
        check("", "");
    }
}
