// Dark or light: the system's choice until the person makes one. A classic script, run before the
// first paint so that nothing flashes.
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const KEY = "storybell.theme";
  const stored = () => {
    try {
      return JSON.parse(localStorage.getItem(KEY));
    } catch {
      return null;
    }
  };
  const apply = () => {
    document.documentElement.dataset.theme = stored() ?? (dark.matches ? "dark" : "light");
  };
  dark.addEventListener("change", apply);
  window.toggleTheme = () => {
    const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    try {
      localStorage.setItem(KEY, JSON.stringify(next));
    } catch {
      // Not remembered, but shown.
    }
    document.documentElement.dataset.theme = next;
  };
  apply();
})();
