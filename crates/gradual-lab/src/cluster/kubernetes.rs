//! An indexed job of Kubernetes: a pod for each run.

use std::path::{Component, Path};

use anyhow::bail;
use serde_json::json;

use super::Task;
use crate::command::steady;

/// Seconds that a pod has to write its checkpoint when it is told to end.
const GRACE: u64 = 120;
/// The flag of data.
const DATA: &str = "--data";
/// How often a run is begun again before it counts as failed.
const RETRIES: u64 = 4;

/// The job, for `kubectl apply`. JSON, which is YAML, too: nothing in it has to be escaped in another way.
///
/// There is a pod for every run, open or done, so that both have one number. One whose run is done ends at once.
pub(super) fn job(task: &Task, image: &str, claim: &str) -> anyhow::Result<String> {
    let is_plain = |out: &&str| {
        let mut parts = task.out.components();
        task.out.is_absolute()
            && !out.contains(':')
            && !parts.any(|part| part == Component::ParentDir)
    };
    let Some(out) = task.out.to_str().filter(is_plain) else {
        bail!(
            "--out is {}, but kubernetes mounts the volume at an absolute path without ':' and '..': give one, such as \
             --out /runs",
            task.out.display()
        );
    };
    if image.trim().is_empty() {
        bail!("--image is empty: name the image in which the program `gradual-lab` is");
    }
    if !is_name(claim) {
        bail!(
            "--claim {claim:?} is no name in Kubernetes: small letters, digits, '-' and '.', up to 253 of them"
        );
    }
    let mut command = vec![String::from("gradual-lab"), String::from("experiment")];
    let mut flag = "";
    for argument in &task.arguments {
        let Some(text) = argument.to_str() else {
            bail!("{argument:?} is no text, and a job of kubernetes is");
        };
        let (named, value) = text.split_once('=').unwrap_or((flag, text));
        let path = Path::new(value);
        // An arm may be called as a folder is; what data are read from is one.
        if path.is_relative() && (path.is_file() || (named == DATA && path.is_dir())) {
            let what = if path.is_file() { "file" } else { "folder" };
            bail!(
                "{text}: a pod does not see the current folder: put the {what} on the volume, and name it by its absolute path"
            );
        }
        flag = text;
        // Dollar signs stand for variables, and two of them for one.
        command.push(text.replace('$', "$$"));
    }
    command.push(String::from("--shard"));
    let cpu = task.threads.to_string();
    let memory = format!("{}Mi", task.cost.mebibytes);
    let resources = json!({ "cpu": cpu, "memory": memory });
    let mut environment = vec![
        json!({ "name": "RAYON_NUM_THREADS", "value": cpu }),
        // Kubernetes tells a pod its own number alone.
        json!({ "name": "JOB_COMPLETIONS", "value": task.count.to_string() }),
    ];
    if let Some(commit) = &task.commit {
        environment.push(json!({ "name": "GRADUAL_COMMIT", "value": commit }));
    }
    let job = json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": { "name": label(&task.name) },
        "spec": {
            "completionMode": "Indexed",
            "completions": task.count,
            "parallelism": task.parallel.unwrap_or(task.count),
            "backoffLimitPerIndex": RETRIES,
            "template": {
                "spec": {
                    "restartPolicy": "Never",
                    "terminationGracePeriodSeconds": GRACE,
                    // For each attempt: one that is stopped by it goes on at its checkpoint.
                    "activeDeadlineSeconds": task.cost.minutes * 60,
                    "containers": [{
                        "name": "run",
                        "image": image,
                        "command": command,
                        "env": environment,
                        "resources": { "requests": resources, "limits": resources },
                        "volumeMounts": [{ "name": "runs", "mountPath": out }],
                    }],
                    "volumes": [{
                        "name": "runs",
                        "persistentVolumeClaim": { "claimName": claim },
                    }],
                },
            },
        },
    });
    Ok(steady(&serde_json::to_string_pretty(&job)?))
}

/// Whether a text can be the name of an object.
fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends =
        text.bytes().next().is_some_and(plain) && text.bytes().next_back().is_some_and(plain);
    ends && text.len() <= 253
        && text
            .bytes()
            .all(|byte| plain(byte) || b"-.".contains(&byte))
}

/// A name as Kubernetes takes it: small letters, digits and hyphens, none of these at an end.
fn label(name: &str) -> String {
    let plain = |letter: char| match letter.is_ascii_alphanumeric() {
        true => letter.to_ascii_lowercase(),
        false => '-',
    };
    let label: String = name.chars().map(plain).take(50).collect();
    format!("gradual-{label}").trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_kubernetes_takes() {
        for name in ["disk", "a", "runs-2.big", "0"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "Bad Name!", "-a", "a-", "a_b", "ä", ".a"] {
            assert!(!is_name(name), "{name}");
        }
        for (name, expected) in [
            ("sparse-parity-quick", "gradual-sparse-parity-quick"),
            ("Mine_2", "gradual-mine-2"),
            ("---", "gradual"),
        ] {
            assert_eq!(label(name), expected);
            assert!(is_name(&label(name)));
        }
    }
}
