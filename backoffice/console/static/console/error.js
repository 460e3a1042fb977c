// The theme that was chosen in the console, as Unfold keeps it.
try {
  const theme = JSON.parse(localStorage.getItem("adminTheme") || '"auto"');
  if (theme === "dark" || theme === "light") document.documentElement.className = theme;
} catch {
  // Without storage, the browser's own preference holds.
}
