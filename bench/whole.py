"""A whole run of an experiment, written in PyTorch or JAX: draws, steps, evaluations, files.

    python bench/whole.py --run RUN --framework eager --out FOLDER

RUN is the folder of a run that `gradual` made. Its `config.json` has the sizes, and `curves.jsonl` the steps after
which it was evaluated: this run is evaluated after the same ones, writes as many checkpoints, and keeps the last two.
Adam, the mean loss or the sum of the squares of the groups' mean losses, as RUN's recipe says.

One line of JSON comes out: {"seconds": of training, evaluation and files, without the start and the compiler,
"accuracy": mean over capabilities at the end, "version"}.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

#: Checkpoints of a run, and how many are kept.
CHECKPOINTS, KEPT = 20, 2


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--framework", choices=["eager", "compile", "jax"], required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", help="the CSV file of a table: columns `label` and `group`, and numbers")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    hold(arguments.framework, arguments.threads)
    print(json.dumps(run(arguments)))
    return 0


def hold(framework: str, threads: int) -> None:
    """What holds each framework to the processor and to so many threads, before it is imported."""
    import jax_peer

    os.environ |= {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads), "CUDA_VISIBLE_DEVICES": ""}
    if framework == "jax":
        os.environ |= jax_peer.environment(threads)


def run(arguments: argparse.Namespace) -> dict:
    import numpy as np

    import models
    import whole_learners
    import whole_tasks

    config = json.loads((arguments.run / "config.json").read_text())
    evaluations = [json.loads(line) for line in (arguments.run / "curves.jsonl").read_text().splitlines()]
    evaluated = {line["step"] for line in evaluations}
    recipe, steps, draw = config["recipe"], config["steps"], config["draw"]
    rng = np.random.default_rng(config["seed"])
    if arguments.data:
        task = whole_tasks.Table(arguments.data, rng)
    elif "subset" in config["task"]:
        task = whole_tasks.Parity(config["task"], rng)
    else:
        task = whole_tasks.Skills(config["task"], rng)
    capabilities = int(task.held_out["labels"].max()) + 1
    groups = {"one-group": None, "labels": capabilities}[recipe["grouping"]["name"]]
    weights, rate = models.parameters(task.model, rng), recipe["rate"]
    if arguments.framework == "jax":
        learner = whole_learners.Jax(task.model, weights, groups, rate)
    else:
        compiled = arguments.framework == "compile"
        learner = whole_learners.Torch(task.model, weights, groups, rate, arguments.threads, compiled)

    arguments.out.mkdir(parents=True)
    # What is compiled is compiled by a step that does not count as time, though it counts as a step.
    loss = learner.step(task.draw(draw, rng))
    learner.evaluate(task.held_out)
    checkpoint_every = max(1, steps // CHECKPOINTS)
    saved: list[Path] = []
    began = time.perf_counter()
    with open(arguments.out / "curves.jsonl", "w") as curves:
        for step in range(1, steps + 1):
            if step > 1:
                loss = learner.step(task.draw(draw, rng))
            if step in evaluated:
                losses, right = learner.evaluate(task.held_out)
                labels = task.held_out["labels"]
                each = [
                    {"loss": float(losses[labels == g].mean()), "accuracy": float(right[labels == g].mean())}
                    for g in range(capabilities)
                ]
                line = {"step": step, "train_loss": loss, "capabilities": each}
                curves.write(json.dumps(line) + "\n")
                curves.flush()
            if step % checkpoint_every == 0:
                path = arguments.out / f"step-{step}"
                learner.save(str(path))
                saved.append(path)
                for old in saved[:-KEPT]:
                    old.unlink()
                del saved[:-KEPT]
    seconds = time.perf_counter() - began
    accuracy = sum(one["accuracy"] for one in each) / len(each)
    from importlib.metadata import version

    package = "jax" if arguments.framework == "jax" else "torch"
    return {"seconds": seconds, "accuracy": accuracy, "version": version(package)}


if __name__ == "__main__":
    sys.exit(main())
