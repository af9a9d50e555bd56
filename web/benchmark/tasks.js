/**
 * How long the page's thread is kept busy at a time, from opening a page on.
 *
 * Chromium's own trace tells of each task, the shortest included, and of the processor time in it. A page is driven
 * by its own script: Playwright's would be tasks of the page, too.
 */

const LONG_MS = 50; // from here on browsers call a task long
/** What a page logs when it is done. */
export const DONE = "watched";
/** The mark that a page sets when the first label is there: up to it the page opens, from it on it runs. */
export const FIRST_LABEL = "first-label";

/**
 * Opens a page, waits until it logs `DONE`, and tells of the tasks of its thread.
 *
 * @param browser of Playwright, Chromium
 * @param page a new one in it
 * @param script runs before those of the page
 */
export async function watchTasks(browser, page, url, script) {
  if (script) await page.addInitScript({ content: script });
  const done = page.waitForEvent("console", {
    predicate: (message) => message.text() === DONE,
    timeout: 120_000,
  });
  await browser.startTracing(page, { categories: ["toplevel", "blink.user_timing"] });
  await page.goto(url, { waitUntil: "commit" });
  await done;
  return summaryOf(JSON.parse((await browser.stopTracing()).toString()).traceEvents);
}

function summaryOf(events) {
  const mark = events.find(({ name, cat }) => name === FIRST_LABEL && cat === "blink.user_timing");
  if (!mark) throw new Error(`The page set no mark ${FIRST_LABEL}.`);
  const own = events
    .filter(
      ({ pid, tid, ph, name }) => pid === mark.pid && tid === mark.tid && ph === "X" && /RunTask$/.test(name),
    )
    .sort((one, other) => one.ts - other.ts || other.dur - one.dur);
  const tasks = [];
  for (const task of own) {
    const last = tasks.at(-1); // a task inside another one is part of it
    if (!last || task.ts >= last.ts + last.dur) tasks.push(task);
  }
  return {
    opening: longestOf(tasks.filter(({ ts }) => ts <= mark.ts)),
    running: longestOf(tasks.filter(({ ts }) => ts > mark.ts)),
  };
}

function longestOf(tasks) {
  const ms = tasks.map(({ dur }) => dur / 1000);
  const cpuMs = tasks.map(({ tdur }) => (tdur ?? 0) / 1000);
  return {
    tasks: tasks.length,
    longest_ms: Math.round(10 * Math.max(0, ...ms)) / 10,
    longest_cpu_ms: Math.round(10 * Math.max(0, ...cpuMs)) / 10,
    long_tasks: ms.filter((time) => time >= LONG_MS).length,
  };
}

/** For the page in demo/: labels the example, then follows the camera for some seconds. */
export function demoScript(seconds) {
  return `(${drive})(${JSON.stringify(FIRST_LABEL)}, ${JSON.stringify(DONE)}, ${1000 * seconds})`;
}

/* In the page. */
function drive(mark, done, ms) {
  const isReady = () => document.documentElement?.dataset.ready;
  const watch = (isThere, then) => {
    const observer = new MutationObserver(() => {
      if (!isThere()) return;
      observer.disconnect();
      then();
    });
    observer.observe(document, { subtree: true, childList: true, attributes: true });
  };
  const click = (id) => document.getElementById(id).click();
  watch(isReady, () => {
    watch(
      () => document.querySelector("#faces h3"),
      () => {
        performance.mark(mark);
        setTimeout(click, 500, "camera");
        setTimeout(() => console.log(done), ms);
      },
    );
    click("example");
  });
}
