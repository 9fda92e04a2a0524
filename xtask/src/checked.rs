//! How tests are compiled where they are to find more than a user's would: with checks in our own crates, and in less time.

use xshell::{Cmd, Shell};

use crate::shell;

/// What makes arithmetic that overflows panic, and debug assertions count, in our own crates: no release does. The
/// crates of others, `"*"`, stay as they are compiled for any other run, so nothing of Burn is built again.
const CHECKED_ARITHMETIC: [&str; 4] = [
    "profile.release.overflow-checks=true",
    "profile.release.debug-assertions=true",
    "profile.release.package.\"*\".overflow-checks=false",
    "profile.release.package.\"*\".debug-assertions=false",
];

/// What prepares kernels for `wgpu`, and what passes operations on to a backend: a good part of what there is to compile, and no
/// place where a test spends its time. So it is optimised less than what computes.
const LIGHT: [&str; 37] = [
    "ash",
    "awint_ext",
    "burn-cubecl",
    "burn-dispatch",
    "burn-ndarray",
    "burn-wgpu",
    "cubecl",
    "cubecl-common",
    "cubecl-core",
    "cubecl-ir",
    "cubecl-opt",
    "cubecl-runtime",
    "cubecl-server",
    "cubecl-std",
    "cubecl-wgpu",
    "cubek",
    "cubek-attention",
    "cubek-convolution",
    "cubek-interpolate",
    "cubek-matmul",
    "cubek-pool",
    "cubek-quant",
    "cubek-random",
    "cubek-reduce",
    "cubek-std",
    "cubek-tile",
    "glow",
    "gpu-allocator",
    "internment",
    "naga",
    "nvml-wrapper",
    "pathfinding",
    "pliron",
    "triple_arena",
    "wgpu",
    "wgpu-core",
    "wgpu-hal",
];

/// Those of our own crates that call others for what takes time. Their tests are the larger part of what is ours to compile.
const CALLERS: [&str; 9] = [
    "gradual",
    "gradual-bench",
    "gradual-cli",
    "gradual-conformance",
    "gradual-lab",
    "gradual-report",
    "gradual-runs",
    "gradual-tasks",
    "gradual-train",
];

/// `cargo test` in that way.
pub(crate) fn tests(sh: &Shell) -> Cmd<'_> {
    let checked = CHECKED_ARITHMETIC.iter().map(|&setting| setting.to_owned());
    let light = LIGHT
        .iter()
        .chain(&CALLERS)
        .map(|name| format!("profile.release.package.{name}.opt-level=1"));
    let settings = checked.chain(light);
    let settings = settings.flat_map(|setting| [String::from("--config"), setting]);
    shell::cargo(sh, &["test", "--release"]).args(settings)
}
