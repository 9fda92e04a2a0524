// Tooltips: the figures' titles, at once and on touch. Without this script the browser shows them itself.
const tip = document.createElement("div");
tip.id = "tip";
tip.setAttribute("role", "status");
document.body.append(tip);
const hover = () => {
  for (const title of document.querySelectorAll("svg title")) {
    title.parentNode.dataset.tip = title.textContent;
    title.remove();
  }
};
const point = (event) => {
  const at = event.target.closest("[data-tip]");
  tip.textContent = at ? at.dataset.tip : "";
  if (!at) return;
  const left = Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 8);
  const below = event.clientY + 18 + tip.offsetHeight < innerHeight;
  tip.style.left = Math.max(4, left) + "px";
  tip.style.top = event.clientY + (below ? 18 : -12 - tip.offsetHeight) + "px";
};
addEventListener("pointermove", point);
addEventListener("pointerdown", point);
addEventListener("scroll", () => (tip.textContent = ""));

// Tables sorted by the column that is clicked on; on a phone, where rows are cards, by a list of columns.
const sortable = (table) => {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  if (body.rows.length < 2) return;
  const value = (row, at) => {
    const cell = row.cells[at];
    const number = parseFloat(cell.dataset.sort);
    return Number.isNaN(number) ? cell.textContent.trim() : number;
  };
  const order = (a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b
      : typeof a === "number" ? -1 : typeof b === "number" ? 1 : a.localeCompare(b);
  const sort = (at, up) => {
    const rows = [...body.rows];
    rows.sort((one, other) => {
      const [a, b] = [value(one, at), value(other, at)];
      // What has no number stays last.
      return typeof a === typeof b && !up ? -order(a, b) : order(a, b);
    });
    body.append(...rows);
    for (const head of heads) head.removeAttribute("aria-sort");
    heads[at].setAttribute("aria-sort", up ? "ascending" : "descending");
  };
  const list = document.createElement("select");
  list.setAttribute("aria-label", "sort by");
  list.append(new Option("sort by …", ""));
  heads.forEach((head, at) => {
    list.append(new Option(head.textContent, at));
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(at, head.getAttribute("aria-sort") !== "ascending"));
    head.append(button);
  });
  list.addEventListener("change", () => list.value && sort(+list.value, true));
  table.parentNode.before(list);
};

// On a phone a claim is a card: its statement and verdict, and the rest where it is tapped on.
const narrow = matchMedia("(max-width: 46rem)");
const folding = (row) => {
  if (!narrow.matches || row.classList.contains("folds")) return;
  const show = (open) => {
    row.classList.toggle("open", open);
    row.setAttribute("aria-expanded", open);
  };
  row.classList.add("folds");
  row.tabIndex = 0;
  show(false);
  row.addEventListener("click", () => show(!row.classList.contains("open")));
  row.addEventListener("keydown", (event) => {
    if (event.target === row && event.key === "Enter") show(!row.classList.contains("open"));
  });
};
const fold = () => document.querySelectorAll(".verdicts tbody tr").forEach(folding);
narrow.addEventListener("change", fold);
const ready = () => {
  hover();
  fold();
  document.querySelectorAll("table").forEach(sortable);
};
ready();
addEventListener("renewed", ready);
