// What the library's script leaves to the page: the token out of the address bar, and the keys to the terminal.

// The cookie has the token from here on; it is not to be read over a shoulder, nor to stay in the history.
const address = new URL(location.href);
address.searchParams.delete("token");
history.replaceState(null, "", address);

// The terminal tells its process whether it has the keys, which it can do once the first bytes have come.
window.addEventListener("load", () => {
  const body = document.body;
  const observer = new MutationObserver(() => {
    if (body.classList.contains("-first-byte")) {
      observer.disconnect();
      document.querySelector(".xterm-helper-textarea").focus();
    }
  });
  observer.observe(body, { attributes: true, attributeFilter: ["class"] });
});
