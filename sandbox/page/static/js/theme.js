// The dark or light theme. The setting of the system applies until the person chooses a theme. This is
// a classic script that runs before the first paint, so that the page never shows the wrong theme.
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
      // The choice cannot be stored, but is still shown.
    }
    document.documentElement.dataset.theme = next;
  };
  apply();
})();
