"use strict";
// Tables sort by a click, or by Enter or the space bar, on a column's head. Without this script they are
// tables as they stand.
const order = new Intl.Collator("en", { numeric: true });

function valueOf(row, column) {
  const cell = row.cells[column];
  const text = (cell.dataset.value ?? cell.textContent).trim();
  const number = Number(text.replace(/\u202f/g, ""));
  return text !== "" && Number.isFinite(number) ? number : text;
}

function compare(one, other) {
  if (typeof one === "number" && typeof other === "number") return one - other;
  return order.compare(String(one), String(other));
}

function sortBy(table, head, column) {
  const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
  for (const cell of table.tHead.rows[0].cells) cell.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => ({ row, value: valueOf(row, column) }));
  const isEmpty = (value) => ["–", "", "nan"].includes(value);
  rows.sort((one, other) =>
    isEmpty(one.value) - isEmpty(other.value) || sign * compare(one.value, other.value));
  body.append(...rows.map(({ row }) => row));
}

for (const table of document.querySelectorAll("table[data-sortable]")) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    if (head.tagName !== "TH") return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sortBy(table, head, column));
    head.append(button);
  });
}

// One clip plays at a time; a line runs over its picture, and a click into the picture goes there.
const players = [...document.querySelectorAll("audio")];
for (const audio of players) {
  const track = audio.closest(".playable").querySelector(".track");
  const playhead = track.querySelector(".playhead");
  const follow = () => {
    const share = audio.duration ? audio.currentTime / audio.duration : 0;
    playhead.style.visibility = audio.currentTime > 0 ? "visible" : "hidden";
    playhead.style.left = `${100 * share}%`;
    if (!audio.paused) requestAnimationFrame(follow);
  };
  audio.addEventListener("play", () => {
    for (const other of players) if (other !== audio) other.pause();
    follow();
  });
  for (const event of ["pause", "seeked", "ended"]) audio.addEventListener(event, follow);
  track.addEventListener("click", (event) => {
    const box = track.getBoundingClientRect();
    if (audio.duration) audio.currentTime = audio.duration * (event.clientX - box.left) / box.width;
    audio.play();
  });
}
