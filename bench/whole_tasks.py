"""The tasks of whole experiments: what is drawn, what is held out, and the model, as NumPy arrays.

They follow `gradual-tasks`: the same distributions, sizes and models, with random numbers of their own. A draw is a
dictionary of arrays whose first axis is the examples; `labels` has the capability of each.
"""

import csv
import string

import numpy as np

import models

#: Marks below the first character: padding, and the end of an answer.
PAD, END, FIRST = 0, 1, 2
CHARACTERS = string.digits + string.ascii_lowercase + "+*=-{}\":,>"
CONTEXT = 31


class Parity:
    """Multitask sparse parity: a one-hot code of the task, and bits of ±1."""

    def __init__(self, settings: dict, rng: np.random.Generator):
        self.tasks, self.bits, self.code = settings["tasks"], settings["bits"], settings["code"]
        subsets = [rng.choice(self.bits, settings["subset"], replace=False) for _ in range(self.tasks)]
        self.subsets = np.stack(subsets)
        weights = np.arange(1, self.tasks + 1) ** -settings["exponent"]
        self.frequencies = weights / weights.sum()
        self.model = models.Mlp((self.tasks + self.bits, settings["hidden"], 1))
        self.held_out = self.examples(np.repeat(np.arange(self.tasks), settings["held_out"]), rng)

    def draw(self, n: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        return self.examples(rng.choice(self.tasks, n, p=self.frequencies), rng)

    def examples(self, labels: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
        n = len(labels)
        bits = rng.integers(0, 2, (n, self.bits), dtype=np.int8) * 2 - 1
        inputs = np.zeros((n, self.tasks + self.bits), np.float32)
        inputs[np.arange(n), labels] = self.code
        inputs[:, self.tasks :] = bits
        # Odd where the product of as many signs as there are bits in the subset says so.
        signs = np.take_along_axis(bits, self.subsets[labels], 1).prod(1).astype(np.float32)
        return {"inputs": inputs, "signs": signs, "labels": labels}


class Skills:
    """Short texts of eight skills, and a ninth that is never trained."""

    def __init__(self, settings: dict, rng: np.random.Generator):
        self.skills = [copy, to_number, add, lookup, reverse, to_words, multiply, sort, add_words]
        weights = np.arange(1, len(self.skills)) ** -float(settings["exponent"])
        self.frequencies = weights / weights.sum()
        sizes = {name: settings[name] for name in ("width", "heads", "layers", "hidden")}
        self.model = models.Decoder(length=CONTEXT, vocabulary=FIRST + len(CHARACTERS), **sizes)
        self.ids = {character: FIRST + at for at, character in enumerate(CHARACTERS)}
        self.held = set()
        each = settings["held_out"]
        texts, labels = [], []
        for label, skill in enumerate(self.skills):
            # Of the skills with few prompts no more than a tenth.
            for _ in range(200 * each):
                item = skill(rng)
                if item[0] not in self.held and hash_of(item[0]) % 10 == 0:
                    self.held.add(item[0])
                    texts.append(item)
                    labels.append(label)
                if labels.count(label) == each:
                    break
        self.held_out = self.encoded(texts, np.array(labels))

    def draw(self, n: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        labels = rng.choice(len(self.frequencies), n, p=self.frequencies)
        return self.encoded([self.item(label, rng) for label in labels], labels)

    def item(self, label: int, rng: np.random.Generator) -> tuple[str, str]:
        while True:
            item = self.skills[label](rng)
            if item[0] not in self.held:
                return item

    def encoded(self, items: list[tuple[str, str]], labels: np.ndarray) -> dict[str, np.ndarray]:
        shape = len(items), CONTEXT
        inputs, targets = np.full(shape, PAD), np.full(shape, PAD)
        mask = np.zeros(shape, np.float32)
        for row, (prompt, answer) in enumerate(items):
            ids = [self.ids[character] for character in prompt + answer]
            inputs[row, : len(ids)] = ids
            targets[row, : len(ids)] = ids[1:] + [END]
            mask[row, len(prompt) - 1 : len(ids)] = 1.0
        return {"inputs": inputs, "targets": targets, "mask": mask, "labels": labels}


class Table:
    """The rows of a CSV file: numbers, and columns `label` and `group`. A quarter of each group is held out."""

    HIDDEN = 64

    def __init__(self, path: str, rng: np.random.Generator):
        with open(path, newline="") as file:
            rows = list(csv.DictReader(file))
        numbers = [name for name in rows[0] if name not in ("label", "group")]
        inputs = np.array([[float(row[name]) for name in numbers] for row in rows])
        targets = np.array([int(row["label"]) for row in rows])
        labels = np.array([int(row["group"]) for row in rows])
        order = rng.permutation(len(rows))
        held = np.concatenate([(mine := order[labels[order] == g])[: max(1, len(mine) // 4)] for g in np.unique(labels)])
        training = np.setdiff1d(order, held)
        inputs = (inputs - inputs[training].mean(0)) / inputs[training].std(0)
        self.rows = {"inputs": inputs.astype(np.float32), "targets": targets, "labels": labels}
        self.training = training
        self.held_out = {name: values[held] for name, values in self.rows.items()}
        self.model = models.Mlp((len(numbers), self.HIDDEN, int(targets.max()) + 1))

    def draw(self, n: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        rows = rng.choice(self.training, n)
        return {name: values[rows] for name, values in self.rows.items()}


def letters(rng: np.random.Generator) -> str:
    return "".join("abcdefghij"[at] for at in rng.integers(10, size=rng.integers(3, 7)))


def copy(rng: np.random.Generator) -> tuple[str, str]:
    text = letters(rng)
    return f"c:{text}>", text


def reverse(rng: np.random.Generator) -> tuple[str, str]:
    text = letters(rng)
    return f"r:{text}>", text[::-1]


def sort(rng: np.random.Generator) -> tuple[str, str]:
    text = letters(rng)
    return f"s:{text}>", "".join(sorted(text))


def short(rng: np.random.Generator) -> int:
    """Of one or of two digits, each half of the time."""
    return int(rng.integers(10)) if rng.random() < 0.5 else int(rng.integers(10, 100))


def add(rng: np.random.Generator) -> tuple[str, str]:
    a, b = short(rng), short(rng)
    return f"{a}+{b}=", str(a + b)


def multiply(rng: np.random.Generator) -> tuple[str, str]:
    a, b = int(rng.integers(10)), short(rng)
    return f"{a}*{b}=", str(a * b)


def lookup(rng: np.random.Generator) -> tuple[str, str]:
    keys = ["abcde"[at] for at in rng.choice(5, 2, replace=False)]
    values = rng.integers(10, size=2)
    asked = rng.integers(2)
    body = ",".join(f'"{key}":{value}' for key, value in zip(keys, values))
    return f"{{{body}}}{keys[asked]}", str(values[asked])


BELOW_TWENTY = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()


def words(number: int) -> str:
    if number >= 100:
        rest = f"-{words(number % 100)}" if number % 100 else ""
        return f"{words(number // 100)}-hundred{rest}"
    if number < 20:
        return BELOW_TWENTY[number]
    units = f"-{BELOW_TWENTY[number % 10]}" if number % 10 else ""
    return TENS[number // 10 - 2] + units


def number(rng: np.random.Generator) -> int:
    return int(rng.integers(100)) if rng.random() < 0.25 else int(rng.integers(100, 1000))


def to_number(rng: np.random.Generator) -> tuple[str, str]:
    drawn = number(rng)
    return f"{words(drawn)}=", str(drawn)


def to_words(rng: np.random.Generator) -> tuple[str, str]:
    drawn = number(rng)
    return f"{drawn}=", words(drawn)


def add_words(rng: np.random.Generator) -> tuple[str, str]:
    while True:
        a, b = (int(each) for each in rng.integers(100, size=2))
        prompt, answer = f"{words(a)}+{words(b)}=", words(a + b)
        if a + b < 100 and len(prompt) + len(answer) <= CONTEXT:
            return prompt, answer


def hash_of(text: str) -> int:
    """FNV-1a, the same in every process."""
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value
