// Run by check_site.py in a page that shows every page of the site in a frame, one after the other, and sends back
// what does not fit.

const insideScrolling = "pre, div.math, .pst-scrollable-table-container";

function faultsOf(page, view) {
  const faults = [];
  const article = page.querySelector("article.bd-article");
  if (!article) return faults;
  const tooWide = (what, element) => {
    const text = element.textContent.trim().replace(/\s+/g, " ").slice(0, 70);
    faults.push(`${what} wider than its column: ${text}`);
  };
  const kinds = { pre: "code", "div.math": "a formula", "mjx-container[display]": "a formula", ".pst-scrollable-table-container": "a table" };
  for (const [selector, kind] of Object.entries(kinds))
    for (const element of article.querySelectorAll(selector))
      if (element.scrollWidth > element.clientWidth + 1) tooWide(kind, element);
  const right = article.getBoundingClientRect().right;
  for (const element of article.querySelectorAll("mjx-container, table, img, dt.sig")) {
    const place = element.getBoundingClientRect();
    if (place.width && place.right > right + 1 && !element.closest(insideScrolling))
      tooWide(element.tagName.toLowerCase(), element);
  }
  for (const element of article.querySelectorAll("mjx-merror, [data-mjx-error]"))
    faults.push(`a formula with an error: ${element.textContent}`);
  for (const image of article.querySelectorAll("img"))
    if (!image.naturalWidth) faults.push(`an image does not load: ${image.src}`);

  const header = page.querySelector(".bd-header");
  if (header.getBoundingClientRect().height > 90) faults.push("the header has two lines");
  for (const toggle of header.querySelectorAll(".dropdown-toggle"))
    if (toggle.offsetParent && toggle.textContent.trim() === "More") faults.push("pages are hidden under More");
  const sidebar = page.querySelector(".bd-sidebar-primary");
  const shown = sidebar && sidebar.offsetParent && view.getComputedStyle(sidebar).visibility !== "hidden";
  if (shown && !sidebar.querySelector("nav.bd-links a")) faults.push("the sidebar is empty");
  if (page.documentElement.scrollWidth > view.innerWidth + 1) faults.push("the page scrolls sideways");
  return faults;
}

async function settled(frame) {
  const page = frame.contentDocument;
  const view = frame.contentWindow;
  for (const image of page.images) image.loading = "eager";
  if (view.MathJax && view.MathJax.startup) await view.MathJax.startup.promise;
  await page.fonts.ready;
  const loaded = (image) => image.complete || new Promise((done) => (image.onload = image.onerror = done));
  await Promise.all([...page.images].map(loaded));
  return faultsOf(page, view);
}

async function measure(pages) {
  const frame = document.querySelector("iframe");
  const found = {};
  for (const page of pages) {
    await new Promise((done) => {
      frame.onload = done;
      frame.src = `/${page}`;
    });
    found[page] = await settled(frame);
  }
  return found;
}

const send = (found) => fetch("/found", { method: "POST", body: JSON.stringify(found) });
measure(PAGES).then(send, (error) => send({ "the browser": [String(error)] }));
