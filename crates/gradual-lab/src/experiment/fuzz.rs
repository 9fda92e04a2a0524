//! Files and arms that something has changed.

use gradual_fuzz::Mutated;

use super::FILES;
use super::file::File;
use crate::arm::Library;
use crate::recipe::Changes;

const KEYS: [&str; 20] = [
    "[task.skills]\n",
    "[task.table]\n",
    "[quality]\n",
    "[quick.run]\n",
    "[[arm]]\n",
    "[[claim]]\n",
    "[[sweep]]\nname = \"power{}\"\nrecipe.composition = \"power(p = {})\"\nat = [4]\n",
    "{}",
    "like = \"erm\"\n",
    "name = ",
    "data = \"/dev/zero\"\n",
    "recipe.grouping = \"spectral(k = 8)\"\n",
    "{ name = \"power\", p = 4 }",
    "rate",
    "layers",
    "= ",
    "\"\"\"",
    "1979-05-27",
    "0x_f",
    "[[[",
];

/// A file is read, or refused with a message that names it.
#[test]
fn files_are_read_or_refused() {
    bolero::check!()
        .with_generator(Mutated::new(FILES.map(|(_, text)| text)).with_words(KEYS))
        .for_each(|input: &Vec<u8>| {
            let text = String::from_utf8_lossy(input);
            match File::read("mine.toml", &text) {
                Err(error) => assert!(format!("{error:#}").contains("mine.toml"), "{error:#}"),
                Ok(file) => {
                    let library = file.library().expect("the arms of a file that was read");
                    for arm in file.arms() {
                        drop(library.arm(&arm).expect("an arm of the file"));
                    }
                    drop((file.run(true), file.task(true), file.quality(true)));
                }
            }
        });
}

/// What `--arm` is given is read as it prints, or refused.
#[test]
fn arms_of_the_command_line_are_read_or_refused() {
    let library = Library::shared().expect("the shared arms");
    let seeds = [
        "grouping:spectral(k=8),metric:kronecker(damping=0.1),composition:power(p=4)",
        "layers:[a.*]+b,lens:snapshot(after=100),wrappers:damped+after(draws=2),rate:0.01,slowdown:2",
        "composition:dro(eta=0.1,sizes=[1,2]),composition_wrappers:shifted(floor=-3),scale:usual",
        "optimizer:muon(momentum=0.9),sampler:curriculum(until=0.5),through_trace:true,shared:trunk.*",
    ];
    assert!(library.names().count() > 20);
    bolero::check!()
        .with_generator(
            Mutated::new(seeds).with_words(library.names().map(str::to_owned).collect::<Vec<_>>()),
        )
        .for_each(|input: &Vec<u8>| {
            let text = String::from_utf8_lossy(input);
            if let Ok(changes) = text.parse::<Changes>() {
                let printed = changes.to_string();
                let again: Changes = printed.parse().expect("what it prints");
                assert_eq!(again.to_string(), printed);
            }
        });
}
