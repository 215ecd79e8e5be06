/** Swagger UI is dark where the root element says so; the system is what decides. */
const dark = matchMedia("(prefers-color-scheme: dark)");
const followSystem = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", followSystem);
followSystem();

// After the page: it is more than a hundred times as large.
const { showReference } = await import("./reference.ts");
showReference();

export {};
