"use strict";
// Contents are folded away on a narrow screen, code is shown all at once, tables sort by a click on a heading,
// and a table wider than its box says so.
const narrow = window.matchMedia("(max-width: 60rem)");
for (const box of document.querySelectorAll(".contents details")) {
  const fold = () => { box.open = !narrow.matches; };
  fold();
  narrow.addEventListener("change", fold);
}

const codeSwitch = document.getElementById("show-code");
if (codeSwitch) {
  codeSwitch.checked = false;
  codeSwitch.addEventListener("change", () => {
    document.body.classList.toggle("code-shown", codeSwitch.checked);
    for (const cell of document.querySelectorAll("details.code")) cell.open = codeSwitch.checked;
  });
}

const order = new Intl.Collator(document.documentElement.lang, { numeric: true });

function compare(column, numeric, direction) {
  return (one, other) => {
    const a = one.cells[column], b = other.cells[column];
    if (!numeric) return direction * order.compare(a.textContent, b.textContent);
    // A cell without a number stays below, whichever way the column is sorted.
    if (!("v" in a.dataset) || !("v" in b.dataset)) return ("v" in b.dataset) - ("v" in a.dataset);
    return direction * (Number(a.dataset.v) - Number(b.dataset.v));
  };
}

for (const table of document.querySelectorAll(".exhibit-table table")) {
  const body = table.tBodies[0];
  if (!body || body.rows.length < 3) continue;
  for (const heading of table.tHead.rows[0].cells) {
    // The label stays outside the button: browsers leave buttons out of headings repeated in print.
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-label", `${SORT_LABEL}: ${heading.firstChild.textContent.trim()}`);
    heading.firstChild.after(button);
    heading.setAttribute("aria-sort", "none");
    heading.title = SORT_LABEL;
    heading.addEventListener("click", () => {
      const down = heading.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.setAttribute("aria-sort", "none");
      heading.setAttribute("aria-sort", down ? "descending" : "ascending");
      const numeric = heading.classList.contains("n");
      body.append(...[...body.rows].sort(compare(heading.cellIndex, numeric, down ? -1 : 1)));
    });
  }
}

function showWhatIsHidden(box) {
  const hidden = box.scrollWidth - box.clientWidth;
  box.classList.toggle("more-left", box.scrollLeft > 1);
  box.classList.toggle("more-right", hidden - box.scrollLeft > 1);
  return hidden > 1;
}

for (const box of document.querySelectorAll(".table-box, .figure-box")) {
  const hint = document.createElement("p");
  hint.className = "scroll-hint";
  hint.textContent = MORE_LABEL;
  box.before(hint);
  const update = () => {
    hint.hidden = !showWhatIsHidden(box);
    box.toggleAttribute("tabindex", !hint.hidden);
    if (!hint.hidden) box.tabIndex = 0;
  };
  box.addEventListener("scroll", () => showWhatIsHidden(box), { passive: true });
  new ResizeObserver(update).observe(box);
  update();
}
