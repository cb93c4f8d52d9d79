// The reader's choice of light or dark, kept in this browser. Without this script the page follows the system's.
(() => {
  const key = "theme";
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");

  // A browser may refuse storage (private windows, blocked cookies): the choice then lasts as long as the page.
  const recall = () => { try { return localStorage.getItem(key); } catch { return null; } };
  const keep = (theme) => { try { localStorage.setItem(key, theme); } catch { /* see above */ } };
  const shown = () => root.dataset.theme ?? (dark.matches ? "dark" : "light");

  const chosen = recall();
  if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;

  addEventListener("DOMContentLoaded", () => {
    const slot = document.querySelector("[data-theme-slot]");
    if (!slot) return;
    const button = document.createElement("button");
    const say = () => button.setAttribute("aria-pressed", String(shown() === "dark"));
    button.type = "button";
    button.className = "theme";
    button.title = slot.dataset.label;
    button.setAttribute("aria-label", slot.dataset.label);
    button.addEventListener("click", () => {
      root.dataset.theme = shown() === "dark" ? "light" : "dark";
      keep(root.dataset.theme);
      say();
    });
    dark.addEventListener("change", say);
    say();
    slot.append(button);
  });
})();
