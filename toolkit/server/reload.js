// Reloads a previewed page when what it is made of has changed. No other page's edit reloads it.
(() => {
  "use strict";
  const script = document.currentScript;
  const failed = script === null ? undefined : script.dataset.failed;
  const place = `toolkit-scroll:${location.pathname}`;
  const visit = performance.getEntriesByType("navigation")[0];
  const timing = ((visit && visit.serverTiming) || []).find((entry) => entry.name === "toolkit");
  const waiting = script === null ? "/_toolkit/wait" : new URL("wait", script.src);
  const token = failed || (timing ? timing.description : "");
  const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

  const shown = () =>
    document.visibilityState === "visible"
      ? Promise.resolve()
      : new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));

  const restore = () => {
    const kept = sessionStorage.getItem(place);
    sessionStorage.removeItem(place);
    if (kept !== null) scrollTo({ left: 0, top: Number(kept), behavior: "instant" });
  };

  const reload = () => {
    sessionStorage.setItem(place, String(scrollY));
    location.reload();
  };

  // One waiting request for each visible page: a hidden one gives its connection back, for browsers have six.
  const wait = async () => {
    const gone = new AbortController();
    const hide = () => document.visibilityState === "hidden" && gone.abort();
    document.addEventListener("visibilitychange", hide);
    try {
      const query = new URLSearchParams({ page: location.pathname, token });
      const answer = await fetch(`${waiting}?${query}`, { cache: "no-store", signal: gone.signal });
      if (answer.status === 200) return true;
      await sleep(answer.status === 204 ? 300 : 1000); // for a server that starts anew, or has a problem
    } catch {
      if (!gone.signal.aborted) await sleep(500); // the server starts anew
    } finally {
      document.removeEventListener("visibilitychange", hide);
    }
    return false;
  };

  const watch = async () => {
    do await shown();
    while (!(await wait()));
    reload();
  };

  restore();
  watch();
})();
