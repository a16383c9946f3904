// The portal's frame in the browser: who one is here, links that open in a new tab, and the keys.
// Served by pages/frame/shell.py before Streamlit starts; it sends nothing anywhere.
(() => {
  "use strict";
  const NAMES = ["fmar_person", "fmar_acting_for"];
  const secure = location.protocol === "https:" ? "; Secure" : "";

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

  // Streamlit takes every click on a link of its own for one in this tab.
  document.addEventListener(
    "click",
    (event) => {
      const apart = event.ctrlKey || event.metaKey || event.shiftKey;
      if (apart && event.button === 0 && event.target.closest?.("a[href]")) event.stopPropagation();
    },
    true,
  );

  // The key "/" leads into the search, as in many tools; not while somebody types elsewhere.
  const isTyping = (element) =>
    element && (element.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(element.tagName));
  document.addEventListener("keydown", (event) => {
    const box = document.querySelector('input[aria-label="Search the register"]');
    if (event.key === "/" && !isTyping(document.activeElement) && !event.ctrlKey && !event.metaKey && !event.altKey && box) {
      event.preventDefault();
      box.focus();
    }
  });

  window.fmar = { remember };
})();
