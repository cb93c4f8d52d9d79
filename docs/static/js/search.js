// Finds headings by the words in them. The index is one small file, fetched when somebody begins to search.
(() => {
  const form = document.querySelector("form.search");
  if (!form) return;
  const input = form.querySelector("input");
  const list = form.querySelector("ul");
  const status = form.querySelector("[role=status]");
  let index = null;
  form.hidden = false;

  async function load() {
    if (index) return;
    const answer = await fetch(form.dataset.index);
    index = answer.ok ? await answer.json() : [];
  }

  function score(entry, words) {
    const heading = entry.heading.toLowerCase();
    const all = `${heading} ${entry.chapter.toLowerCase()} ${entry.part.toLowerCase()}`;
    if (!words.every((word) => all.includes(word))) return 0;
    const whole = heading === words.join(" ") ? 8 : 0;
    const inHeading = words.filter((word) => heading.includes(word)).length;
    return 1 + whole + 2 * inHeading + (heading.startsWith(words[0]) ? 2 : 0) - heading.length / 200;
  }

  function show() {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const scored = words.length ? index.map((entry) => [score(entry, words), entry]) : [];
    const found = scored.filter(([points]) => points > 0).sort((a, b) => b[0] - a[0]).slice(0, 12);
    list.replaceChildren(...found.map(([, entry]) => line(entry)));
    list.hidden = !found.length;
    status.textContent = words.length ? (found.length ? `${found.length} found` : "Nothing found") : "";
  }

  function line(entry) {
    const item = document.createElement("li");
    const link = document.createElement("a");
    const where = document.createElement("small");
    link.href = entry.url;
    link.textContent = entry.heading;
    where.textContent = entry.heading === entry.chapter ? entry.part : `${entry.part}: ${entry.chapter}`;
    link.append(where);
    item.append(link);
    return item;
  }

  function move(event) {
    const links = [...list.querySelectorAll("a")];
    const here = links.indexOf(document.activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") {
      input.value = "";
      show();
      input.focus();
    } else if (step && links.length) {
      event.preventDefault();
      const next = here + step;
      (next < 0 ? input : links[Math.min(next, links.length - 1)]).focus();
    }
  }

  input.addEventListener("input", () => load().then(show));
  form.addEventListener("keydown", move);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    list.querySelector("a")?.click();
  });
  document.addEventListener("click", (event) => {
    if (!form.contains(event.target)) list.hidden = true;
  });
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      input.focus();
    }
  });
})();
