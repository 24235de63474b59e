// Sorting of the tables marked data-sortable. The page is whole without it.
for (const table of document.querySelectorAll("table[data-sortable]")) {
  const body = table.tBodies[0];
  const headers = [...table.tHead.rows[0].cells];
  const keyOf = (row, place) => row.cells[place].dataset.key ?? row.cells[place].textContent.trim();
  headers.forEach((header, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => {
      const numeric = body.rows[0].cells[place].dataset.key !== undefined;
      const previous = header.getAttribute("aria-sort");
      const descending = previous ? previous === "ascending" : numeric;
      const rows = [...body.rows].sort((left, right) => {
        const [a, b] = [keyOf(left, place), keyOf(right, place)];
        return numeric ? Number(a) - Number(b) : a.localeCompare(b);
      });
      if (descending) rows.reverse();
      headers.forEach((other) => other.removeAttribute("aria-sort"));
      header.setAttribute("aria-sort", descending ? "descending" : "ascending");
      body.append(...rows);
    });
  });
}
