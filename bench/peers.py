"""Times one step with per-example gradients in other frameworks: all peers do the same work.

    python bench/peers.py --check                     do all peers compute the same?
    python bench/peers.py --threads 1 --models mlp    time, one line of JSON for each case

A step is: per-example gradients, their Gram matrix, the weighted gradient for fixed coefficients, Adam.
`ordinary` is a plain training step without any of it. Every case runs in a process of its own, so that
its memory is its own.

`--device cuda` runs the PyTorch peers on a GPU; memory is then what PyTorch has allocated there.

A line is {"peer", "version", "model", "draw", "threads", "seconds": [one for each repetition],
"peak_memory_bytes", "start_memory_bytes"}, or {"peer", "model", "draw", "threads", "skipped": reason}.
Memory is resident memory; at the start the libraries, the weights and the draw are there already.
"""

import argparse
import contextlib
import gc
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import jax_peer
from models import LARGE, TIMED, Mlp, coefficients, parameters, timed

PEERS = {"ordinary": "torch", "vmap": "torch", "opacus": "opacus", "torchjd": "torchjd", "jax": "jax", "ghost": "torch"}
DRAWS = {"mlp": (32, 128, 512, 1024), "convnet": (32, 128, 512, 1024), "decoder": (16, 64)}
LARGE_DRAWS = (256,)
CHECKED_DRAWS = {"mlp": 32, "convnet": 32, "decoder": 16}
#: The largest difference over the largest entry that `--check` allows.
TOLERANCE = 1e-4
SEED = 1
GIB = 2**30


def prepare(case: dict):
    """The step of one case: an object with `step()` and `results()`."""
    model, n = timed(case["model"]), case["draw"]
    rng = np.random.default_rng(SEED)
    arguments = model, parameters(model, rng), model.draw(n, rng), coefficients(n, rng)
    if not supports(case):
        raise ValueError(f"{case['peer']} cannot do {case['model']}")
    if case["peer"] == "jax":
        return jax_peer.Jax(*arguments)
    import torch_peers

    return torch_peers.prepare(case["peer"], *arguments, case["threads"], case.get("device", "cpu"))


def supports(case: dict) -> bool:
    if case.get("device", "cpu") != "cpu" and case["peer"] == "jax":
        return False
    return case["peer"] != "ghost" or isinstance(timed(case["model"]), Mlp)


def family(model: str) -> str:
    return model.partition("-")[0]


def measure(case: dict) -> dict:
    """Runs in the process of the case."""
    # A step on a few examples loads what the peer loads on first use. Its time says nothing.
    prepare(case | {"draw": min(8, case["draw"])}).step()
    prepared = prepare(case)
    # The peers leave cycles behind, which hold a step's rows: they are collected between the steps,
    # and what the imports made is left alone, as a look through it would take longer than a step.
    gc.collect()
    gc.freeze()
    gc.disable()
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # the highest so far may be the compiler's: forget it
    on_gpu = case.get("device", "cpu") != "cpu"
    if on_gpu:
        import torch

        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    start_memory = torch.cuda.memory_allocated() if on_gpu else memory("VmRSS")
    began = time.perf_counter()
    first = seconds_of(prepared.step)
    # The first full step fills the caches. It counts only where there is no time for a second one.
    seconds = [first] if first > case["budget"] else []
    while len(seconds) < case["repetitions"] and (not seconds or time.perf_counter() - began < case["budget"]):
        seconds.append(seconds_of(prepared.step))
    peak = torch.cuda.max_memory_allocated() if on_gpu else memory("VmHWM")
    return {"seconds": seconds, "peak_memory_bytes": peak, "start_memory_bytes": start_memory}


def seconds_of(step) -> float:
    before = time.perf_counter()
    step()
    seconds = time.perf_counter() - before
    gc.collect()
    return round(seconds, 7)


def memory(field: str) -> int:
    """Resident memory now (`VmRSS`) or at its highest (`VmHWM`), in bytes.

    `getrusage` would also count the process that started this one, before it became this program.
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise OSError(f"/proc/self/status has no {field}")


def check(model: str, peers: list[str], threads: int) -> bool:
    """Do the peers agree on the Gram matrix and the weighted gradient?"""
    agreed, expected = True, None
    for peer in peers:
        case = {"peer": peer, "model": model, "draw": CHECKED_DRAWS[family(model)], "threads": threads}
        if not supports(case):
            continue
        gram, update = prepare(case).results()
        if expected is None:
            expected = (gram, update)
        # Some gradients are zero but for rounding (the key's bias): no scale is below 1 % of the largest.
        scales = {name: np.abs(value).max() for name, value in expected[1].items()}
        floor = 0.01 * max(scales.values())
        worst = max(difference(update[name], expected[1][name]) / max(scale, floor) for name, scale in scales.items())
        text = f"weighted gradient {worst:.1e}"
        if gram is not None:
            gram_difference = difference(gram, expected[0]) / np.abs(expected[0]).max()
            text = f"Gram matrix {gram_difference:.1e}, {text}"
            worst = max(worst, gram_difference)
        same_names = update.keys() == expected[1].keys()
        good = same_names and worst <= TOLERANCE
        agreed &= good
        print(f"{model} {peer}: {text}{'' if good else '  DIFFERS'}", flush=True)
    return agreed


def difference(a: np.ndarray, b: np.ndarray) -> float:
    # Not a number counts as infinitely far.
    return float(np.nan_to_num(np.abs(a - b).max(), nan=np.inf))


def run(case: dict, limit_bytes: int, time_limit: float) -> dict:
    """Starts the process of one case and reads its answer."""
    if not supports(case):
        return {"skipped": "not for this model or device"}
    rows = case["draw"] * sum(int(np.prod(shape)) for shape in timed(case["model"]).shapes().values()) * 4
    if case["peer"] not in ("ordinary", "ghost") and rows > limit_bytes:
        return {"skipped": f"the rows alone need {rows / GIB:.1f} GiB, more than the limit of {limit_bytes / GIB:g}"}
    threads = str(case["threads"])
    environment = os.environ | {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
    if case.get("device", "cpu") == "cpu":
        environment |= {"CUDA_VISIBLE_DEVICES": ""}
    if case["peer"] == "jax":
        environment |= jax_peer.environment(case["threads"])
    try:
        done = subprocess.run(
            [sys.executable, __file__, "--case", json.dumps(case | {"memory_limit": limit_bytes})],
            env=environment,
            capture_output=True,
            text=True,
            timeout=time_limit,
        )
    except subprocess.TimeoutExpired:
        return {"skipped": f"not done after {time_limit:g} s"}
    if done.returncode < 0:
        return {"skipped": f"ended by signal {-done.returncode}"}
    try:
        return json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return {"skipped": f"exit code {done.returncode}: {last[:300]}"}


def run_here(case: dict) -> dict:
    """What the process of a case prints."""
    limit = case["memory_limit"]
    if case.get("device", "cpu") == "cpu":
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    try:
        measured = measure(case)
    except Exception as error:
        first = (str(error).strip().splitlines() or [""])[0]
        no_memory = isinstance(error, MemoryError) or "allocate memory" in str(error) or "out of memory" in str(error) or "RESOURCE_EXHAUSTED" in str(error)
        if no_memory:
            return {"skipped": f"needs more memory than the limit of {limit / GIB:g} GiB"}
        return {"skipped": f"{type(error).__name__}: {first[:300]}"}
    from importlib.metadata import version

    return {"version": version(PEERS[case["peer"]])} | measured


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare the peers' numbers, time nothing")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repetitions", type=int, default=30, help="at most so many for each case")
    parser.add_argument("--budget", type=float, default=1.5, help="seconds after which no repetition starts")
    parser.add_argument("--time-limit", type=float, default=120.0, help="seconds after which a case is given up")
    parser.add_argument("--memory-limit", type=float, help="GiB [default: 8; on a GPU what it has]")
    parser.add_argument("--device", default="cpu", help="of the PyTorch peers: cpu, cuda or cuda:1")
    parser.add_argument("--models", type=listed(timed, (*TIMED, *LARGE, "mlp-WIDTH")), default=list(TIMED), help="comma-separated")
    parser.add_argument("--peers", type=listed(PEERS.__getitem__, PEERS), default=list(PEERS), help="comma-separated")
    parser.add_argument("--draws", type=sizes, help="comma-separated, for every model")
    parser.add_argument("--case", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.memory_limit is None:
        arguments.memory_limit = 8.0 if arguments.device == "cpu" else 2.0**20
    if min(arguments.threads, arguments.repetitions) < 1:
        parser.error("--threads and --repetitions must be at least 1")

    if arguments.case:
        print(json.dumps(run_here(arguments.case)))
        return 0
    if arguments.check:
        os.environ.update(jax_peer.environment(arguments.threads))
        # `vmap` comes first: the others are compared with it.
        peers = ["vmap"] + [peer for peer in arguments.peers if peer != "vmap"]
        return 0 if all([check(model, peers, arguments.threads) for model in arguments.models]) else 1
    for model in arguments.models:
        for draw in arguments.draws or (LARGE_DRAWS if model in LARGE else DRAWS[family(model)]):
            for peer in arguments.peers:
                case = {"peer": peer, "model": model, "draw": draw, "threads": arguments.threads}
                case |= {"device": arguments.device} if arguments.device != "cpu" else {}
                limits = {"repetitions": arguments.repetitions, "budget": arguments.budget}
                answer = run(case | limits, int(arguments.memory_limit * GIB), arguments.time_limit)
                print(json.dumps(case | answer), flush=True)
    return 0


def listed(find, known):
    """Reads a comma-separated list of names that `find` finds."""

    def read(text: str) -> list[str]:
        names = text.split(",")
        for name in names:
            try:
                find(name)
            except KeyError:
                raise argparse.ArgumentTypeError(f"'{name}' is not known; known: {', '.join(known)}") from None
        return names

    return read


def sizes(text: str) -> list[int]:
    try:
        values = [int(part) for part in text.split(",")]
    except ValueError:
        values = []
    if not values or min(values) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a list of positive numbers")
    return values


if __name__ == "__main__":
    sys.exit(main())
