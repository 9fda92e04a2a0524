//! Groups of examples.

use std::collections::HashMap;

use gradual_registry::excerpt;

use super::out_of;
use super::quotas::{classes_of, quotas};

/// Most characters of a value in the name of a group.
const SHORT: usize = 60;
/// Most classes that a note names.
const NAMED: usize = 5;

/// Examples that are one group.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) name: String,
    /// Two at least, in order.
    pub(crate) examples: Vec<u32>,
    /// The only example of another group, to be trained on with these.
    pub(crate) lone: Option<u32>,
}

/// The groups of a column, in the order of its values, those of a single example together at the end. `column` has the
/// place of each example's value, `what` is what examples are called. None where every group has a single one.
///
/// A group of a single example has nothing left to be measured on, and without a group no grouped loss would train on
/// it. So all such examples are one group together, whose name says so; if there is one alone, it is trained on with
/// the smallest of the other groups, and never held out.
pub(crate) fn grouped(
    group: &str,
    values: &[String],
    column: &[u32],
    what: &str,
) -> Option<Vec<Group>> {
    let mut examples = vec![Vec::new(); values.len()];
    for (example, &value) in column.iter().enumerate() {
        examples[value as usize].push(example as u32);
    }
    let (mut named, mut single) = (Vec::new(), Vec::new());
    for (value, examples) in values.iter().zip(examples) {
        let value = excerpt(value, SHORT);
        match examples.as_slice() {
            [] => {}
            [example] => single.push((value, *example)),
            _ => named.push(Group {
                name: format!("{group}={value}"),
                examples,
                lone: None,
            }),
        }
    }
    let smallest = named.iter_mut().min_by_key(|each| each.examples.len())?;
    match single.as_slice() {
        [] => {}
        [(value, example)] => {
            smallest.name += &format!(" (and {value}, a single {what})");
            smallest.lone = Some(*example);
        }
        several => {
            let mut examples: Vec<u32> = several.iter().map(|(_, example)| *example).collect();
            examples.sort_unstable();
            named.push(Group {
                name: format!(
                    "{group}=other ({} groups of a single {what})",
                    several.len()
                ),
                examples,
                lone: None,
            });
        }
    }
    let mut names: Vec<String> = named.iter().map(|group| group.name.clone()).collect();
    tell_apart(&mut names);
    for (group, name) in named.iter_mut().zip(names) {
        group.name = name;
    }
    Some(named)
}

/// Numbers names that are the same, as those of long values may be.
pub(crate) fn tell_apart(names: &mut [String]) {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for name in names.iter() {
        *seen.entry(name.clone()).or_default() += 1;
    }
    let mut number = 0;
    for at in 0..names.len() {
        if seen[&names[at]] < 2 {
            continue;
        }
        let name = loop {
            number += 1;
            let name = format!("{} #{number}", names[at]);
            if !seen.contains_key(&name) {
                break name;
            }
        };
        names[at] = name;
    }
}

/// The order of the groups' first examples, which their names have no part in.
pub(crate) fn by_first_example(groups: &[Group]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..groups.len()).collect();
    order.sort_by_key(|&at| groups[at].examples.first().copied());
    order
}

/// A sentence on the classes that have no example in one of the two parts of their group, if there are such.
pub(crate) fn in_one_part(
    groups: &[Group],
    classes: &[i32],
    names: &[String],
    what: &str,
    most: usize,
) -> Option<String> {
    let mut found = Vec::new();
    for group in groups {
        let strata = classes_of(&group.examples, classes);
        let sizes: Vec<usize> = strata.iter().map(|&(_, size)| size).collect();
        let out = quotas(&sizes, out_of(group.examples.len()).min(most));
        for (&(class, size), out) in strata.iter().zip(out) {
            let class = names.get(class as usize).map_or("", String::as_str);
            let part = match out {
                0 => "none held out",
                _ if out == size => "all held out",
                _ => continue,
            };
            let plural = if size == 1 { "" } else { "s" };
            let class = excerpt(class, SHORT);
            found.push(format!(
                "class {class} of {} ({size} {what}{plural}, {part})",
                group.name
            ));
        }
    }
    let more = match found.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let named = found.iter().take(NAMED).cloned().collect::<Vec<_>>();
    (!found.is_empty()).then(|| {
        format!(
            "classes with too few {what}s in their group to be in both of its parts: {}{more}",
            named.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_have_names_of_their_own() {
        let long = |end: &str| {
            format!(
                "{}{}{end}{}",
                "a".repeat(40),
                "b".repeat(40),
                "c".repeat(40)
            )
        };
        let values = [
            long("x"),
            long("y"),
            "other (2 groups of a single row)".to_owned(),
            "p".into(),
            "q".into(),
        ];
        let column = [0, 0, 1, 1, 2, 2, 3, 4];
        let groups = grouped("g", &values, &column, "row").unwrap();
        let names: std::collections::HashSet<&str> =
            groups.iter().map(|group| group.name.as_str()).collect();
        assert_eq!(names.len(), 4, "{names:?}");
    }
}
