// The search field of the front page, and the search page over Pagefind's index.
"use strict";
(() => {
  const field = document.getElementById("search-field");
  const button = document.getElementById("search-button");
  const status = document.getElementById("search-status");
  const link = document.getElementById("search-link");
  document.getElementById("search-box").hidden = false;
  document.getElementById("search-without")?.remove();
  if (link) link.hidden = true;

  if (!status) {
    const leave = () => {
      const words = field.value.trim();
      location.assign(`search/index.html${words ? `?q=${encodeURIComponent(words)}` : ""}`);
    };
    button.addEventListener("click", leave);
    field.addEventListener("keydown", (event) => { if (event.key === "Enter") leave(); });
    return;
  }

  const list = document.getElementById("search-hits");
  const site = new URL(`${status.dataset.root}/`, document.baseURI);
  const ready = import(new URL("pagefind/pagefind.js", document.baseURI)).then(async (pagefind) => {
    await pagefind.options({ baseUrl: site.pathname, excerptLength: 28 });
    await pagefind.init();
    return pagefind;
  });
  const AT_ONCE = 10;
  let latest = 0;

  const say = (text) => { status.textContent = text; };

  // An excerpt is HTML with marks; only its text and its marks are taken over.
  const excerptOf = (html) => {
    const line = document.createElement("p");
    for (const node of new DOMParser().parseFromString(html, "text/html").body.childNodes) {
      const part = document.createElement(node.nodeName === "MARK" ? "mark" : "span");
      part.textContent = node.textContent;
      line.append(part);
    }
    return line;
  };

  const hitOf = (hit) => {
    const item = document.createElement("li");
    const part = hit.url.slice(site.pathname.length).split("/")[0];
    const eyebrow = document.createElement("span");
    eyebrow.textContent = status.dataset[`in${part[0].toUpperCase()}${part.slice(1)}`] || "";
    eyebrow.className = "quiet";
    const body = document.createElement("div");
    const title = document.createElement("h2");
    const anchor = document.createElement("a");
    anchor.href = hit.url;
    anchor.textContent = hit.meta.title || hit.url;
    title.append(anchor);
    body.append(title, excerptOf(hit.excerpt));
    item.append(eyebrow, body);
    return item;
  };

  const show = async (hits, from, turn) => {
    const loaded = await Promise.all(hits.slice(from, from + AT_ONCE).map((hit) => hit.data()));
    if (turn !== latest) return;
    const items = loaded.map(hitOf);
    list.append(...items);
    if (from) items[0].querySelector("a").focus();
    if (from + AT_ONCE < hits.length) {
      const more = document.createElement("button");
      more.type = "button";
      more.className = "button";
      more.textContent = status.dataset.more;
      const item = document.createElement("li");
      item.append(more);
      more.addEventListener("click", () => { item.remove(); show(hits, from + AT_ONCE, turn); });
      list.append(item);
    }
  };

  const search = async () => {
    const turn = ++latest;
    const words = field.value.trim();
    const address = new URL(location.href);
    if (words) address.searchParams.set("q", words); else address.searchParams.delete("q");
    history.replaceState(null, "", address);
    if (!words) { list.replaceChildren(); say(""); return; }
    say(status.dataset.running);
    const began = performance.now();
    const { results } = await (await ready).search(words);
    if (turn !== latest) return;
    list.replaceChildren();
    await show(results, 0, turn);
    if (turn !== latest) return;
    list.dataset.milliseconds = Math.ceil(performance.now() - began);
    const many = status.dataset.many.replace("#", results.length.toLocaleString(document.documentElement.lang));
    say(results.length === 0 ? status.dataset.none : results.length === 1 ? status.dataset.one : many);
  };

  let waiting;
  const soon = () => { clearTimeout(waiting); waiting = setTimeout(search, 120); };
  const now = () => { clearTimeout(waiting); search(); };
  ready.then(() => {
    field.addEventListener("input", soon);
    field.addEventListener("keydown", (event) => { if (event.key === "Enter") now(); });
    button.addEventListener("click", now);
    field.value ||= new URL(location.href).searchParams.get("q") || "";  // what was typed meanwhile stays
    field.focus();
    if (field.value) search();
  }, () => { say(status.dataset.absent); });
})();
