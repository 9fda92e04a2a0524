//! An indexed job of Kubernetes: a pod for each run.

use anyhow::bail;
use serde_json::json;

use super::Task;

/// Seconds that a pod has to write its checkpoint when it is told to end.
const GRACE: u64 = 120;
/// How often a run is begun again before it counts as failed.
const RETRIES: u64 = 4;

/// The job, for `kubectl apply`. JSON, which is YAML, too: nothing in it has to be escaped in another way.
///
/// The runs that are open have the numbers of the pods where these are all runs; otherwise, the pods take them in order.
pub(super) fn job(task: &Task, image: &str, claim: &str) -> anyhow::Result<String> {
    let Some(out) = task.out.to_str().filter(|_| task.out.is_absolute()) else {
        bail!(
            "--out is {}, but kubernetes mounts the volume at an absolute path: give one, such as --out /runs",
            task.out.display()
        );
    };
    let mut command = vec![String::from("gradual-lab"), String::from("experiment")];
    for argument in &task.arguments {
        let Some(text) = argument.to_str() else {
            bail!("{argument:?} is no text, and a job of kubernetes is");
        };
        // A dollar sign before a bracket stands for a variable.
        command.push(text.replace("$(", "$$("));
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
    Ok(serde_json::to_string_pretty(&job)?)
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
