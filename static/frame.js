// The portal's frame in the browser: who one is here, links that open in a new tab, keys, light and dark, presenting, printing.
// Served by pages/frame/shell.py before Streamlit starts; it sends nothing anywhere.
(() => {
  "use strict";
  const NAMES = ["fmar_person", "fmar_acting_for"];
  const secure = location.protocol === "https:" ? "; Secure" : "";
  const root = document.documentElement;

  const putCookie = (name, value) => {
    document.cookie = value
      ? `${name}=${encodeURIComponent(value)}; path=/; SameSite=Lax${secure}`
      : `${name}=; path=/; max-age=0; SameSite=Lax${secure}`;
  };

  // A tab keeps who it is, so that two roles stand side by side. What it opens in a new tab has only the cookies, so these say
  // who the tab in front is.
  const restore = () => {
    for (const name of NAMES) {
      const value = sessionStorage.getItem(name);
      if (value !== null) putCookie(name, value);
    }
  };
  restore();
  window.addEventListener("focus", restore);
  document.addEventListener("pointerdown", restore, true);

  const remember = (values) => {
    for (const [name, value] of Object.entries(values)) {
      sessionStorage.setItem(name, value);
      putCookie(name, value);
    }
  };

  // Light and dark: Streamlit keeps it for one address only, and reads it as it starts.
  const THEME = "fmar-theme";
  const themeKey = `stActiveTheme-${location.pathname}-v2`;
  const theme = localStorage.getItem(THEME);
  if (theme) localStorage.setItem(themeKey, JSON.stringify(theme));
  else localStorage.removeItem(themeKey);
  const isDark = () => (theme ? theme === "Dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  root.classList.toggle("fmar-dark", isDark());
  const toggleTheme = () => {
    localStorage.setItem(THEME, isDark() ? "Light" : "Dark");
    location.reload();
  };

  // Streamlit takes every click on a link of its own for one in this tab.
  document.addEventListener(
    "click",
    (event) => {
      const apart = event.ctrlKey || event.metaKey || event.shiftKey;
      if (apart && event.button === 0 && event.target.closest?.("a[href]")) event.stopPropagation();
    },
    true,
  );

  // Presenting: larger type, no menu, and a light around the pointer; it goes on from page to page in this tab.
  const PRESENT = "fmar-present";
  const isPresenting = () => root.classList.contains(PRESENT);
  const present = (on) => {
    root.classList.toggle(PRESENT, on);
    if (on) sessionStorage.setItem(PRESENT, "on");
    else sessionStorage.removeItem(PRESENT);
    window.dispatchEvent(new Event("resize"));
  };
  if (new URLSearchParams(location.search).has("present") || sessionStorage.getItem(PRESENT)) present(true);
  document.addEventListener("pointermove", (event) => {
    if (!isPresenting()) return;
    root.style.setProperty("--fmar-x", `${event.clientX}px`);
    root.style.setProperty("--fmar-y", `${event.clientY}px`);
  });

  const copyLink = () => navigator.clipboard?.writeText(location.href);

  const KEYS = [
    ["/ or Ctrl+K", "Search, or jump to a page"],
    ["\u2191 \u2193 Enter", "Choose a result and open it"],
    ["J, K", "Next and previous link of the page; Enter opens it"],
    ["Shift+P", "Present: larger type, no menu; again to end"],
    ["S", "While presenting: spotlight on and off"],
    ["Ctrl+click", "Open a link in a new tab, in the same role"],
    ["Space", "In a table: choose the row with Shift+Space"],
    ["?", "This list"],
  ];
  const showKeys = () => {
    let dialog = document.getElementById("fmar-keys");
    if (!dialog) {
      dialog = document.createElement("dialog");
      dialog.id = "fmar-keys";
      dialog.setAttribute("aria-labelledby", "fmar-keys-title");
      const title = document.createElement("h2");
      title.id = "fmar-keys-title";
      title.textContent = "Keyboard shortcuts";
      const list = document.createElement("dl");
      for (const [key, words] of KEYS) {
        const term = document.createElement("dt");
        term.append(Object.assign(document.createElement("kbd"), { textContent: key }));
        list.append(term, Object.assign(document.createElement("dd"), { textContent: words }));
      }
      const close = Object.assign(document.createElement("button"), { type: "button", textContent: "Close" });
      close.onclick = () => dialog.close();
      dialog.append(title, list, close);
      document.body.append(dialog);
    }
    dialog.showModal();
  };

  const actions = [
    { group: "Actions", title: "Present this page", about: "Shift+P", words: "projector", run: () => present(!isPresenting()) },
    { group: "Actions", title: "Dark or light", about: "", words: "theme mode", run: toggleTheme },
    { group: "Actions", title: "Keyboard shortcuts", about: "?", words: "keys help", run: showKeys },
    { group: "Actions", title: "Print this page", about: "", words: "paper pdf", run: () => window.print() },
    { group: "Actions", title: "Copy link", about: "", words: "address", run: copyLink },
  ];

  const isTyping = (element) =>
    element && (element.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(element.tagName));
  const isBusy = (element) =>
    isTyping(element) || Boolean(element?.closest?.('[data-testid="stDataFrame"], [role="dialog"], dialog, [role="application"]'));

  // J and K walk along the links of the page's body.
  const walk = (step) => {
    const links = [...document.querySelectorAll('[data-testid="stMain"] a[href]')].filter(
      (link) => !link.closest(".st-key-role-bar") && link.getClientRects().length,
    );
    if (!links.length) return;
    const at = links.indexOf(document.activeElement);
    const next = at < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, at + step));
    links[next].focus();
    links[next].scrollIntoView({ block: "center" });
  };

  document.addEventListener("keydown", (event) => {
    const box = document.querySelector(".fmar-palette input");
    const palette = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k";
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (palette && box) {
      event.preventDefault();
      box.focus();
      box.select();
      return;
    }
    if (!plain || isBusy(document.activeElement)) return;
    const run = {
      "/": () => box?.focus(),
      "?": showKeys,
      j: () => walk(1),
      k: () => walk(-1),
      P: () => present(!isPresenting()),
      s: isPresenting() ? () => root.classList.toggle("fmar-no-spot") : null,
    }[event.key];
    if (run) {
      event.preventDefault();
      run();
    }
  });

  // Buttons in what the server draws name one of these.
  const BUTTONS = { theme: toggleTheme, present: () => present(!isPresenting()), keys: showKeys, print: () => window.print(), link: copyLink };
  document.addEventListener("click", (event) => {
    const name = event.target.closest?.("[data-fmar]")?.dataset.fmar;
    if (name && BUTTONS[name]) {
      event.preventDefault();
      BUTTONS[name]();
    }
  });

  // A browser tells a page what was typed into a field only once the field is left: leaving the tab leaves the field.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden && isTyping(document.activeElement)) document.activeElement.blur();
  });

  // One press of Back is one page: filters, a place in a queue or a draft that a page writes into its own address replace what
  // stood there. Another record is another page.
  const RECORD = ["id", "job", "code"];
  const push = history.pushState.bind(history);
  let left = null;
  history.pushState = (state, title, url) => {
    const after = new URL(url ?? "", location.href);
    const before = new URLSearchParams(location.search);
    const same = after.pathname === location.pathname && RECORD.every((name) => before.get(name) === after.searchParams.get(name));
    if (same) {
      left = { address: location.href, at: performance.now() };
      return history.replaceState(state, title, url);
    }
    // On the way to another page its parameters come first: they aren't those of the page that is left.
    if (left && performance.now() - left.at < 1500) history.replaceState(history.state, "", left.address);
    left = null;
    return push(state, title, url);
  };

  window.fmar = { remember, actions };
})();
