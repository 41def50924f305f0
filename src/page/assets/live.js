"use strict";

// Shows the progress of jobs while it happens. Without it, every page is the same and is loaded anew to look again.
(() => {
  const region = document.querySelector("[data-live]");
  if (!region || !window.EventSource) return;
  const announcement = document.getElementById("announcement");
  const only = region.dataset.only;
  const source = new EventSource(region.dataset.live);
  let isLoading = false;

  source.addEventListener("jobs", (event) => {
    const jobs = JSON.parse(event.data).filter((job) => !only || job.id === only);
    const rows = new Map([...region.querySelectorAll("[data-job]")].map((row) => [row.dataset.job, row]));
    const isKnown = (job) => rows.has(job.id) && part(rows.get(job.id), "state").textContent === job.state;
    if (!jobs.every(isKnown) || (!only && jobs.length !== rows.size)) return reload();
    for (const job of jobs) show(rows.get(job.id), job);
  });

  // What the server does not give again, such as to a session that has ended, is not asked for again.
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) announcement.textContent = "Live updates have ended. Reload the page.";
  });

  window.addEventListener("pagehide", () => source.close());

  function part(row, name) {
    return row.querySelector(`[data-part="${name}"]`);
  }

  function show(row, job) {
    const status = part(row, "status");
    if (status.textContent !== job.status) {
      status.textContent = job.status;
      if (only) announcement.textContent = job.status;
    }
    const bar = row.querySelector("progress");
    if (bar) bar.value = job.percent;
  }

  // A job came, went or changed its state: the server says how that looks.
  async function reload() {
    if (isLoading) return;
    isLoading = true;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("[data-live]");
      if (!answer.ok || !fresh) return;
      const focused = document.activeElement?.id;
      region.replaceChildren(...fresh.childNodes);
      if (focused) document.getElementById(focused)?.focus();
      const states = [...region.querySelectorAll("[data-job]")].map((row) => part(row, "status").textContent);
      announcement.textContent = only ? states[0] : "The list of jobs has changed.";
    } catch {
      // The next event tries again.
    } finally {
      isLoading = false;
    }
  }
})();
