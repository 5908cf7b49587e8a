/**
 * Puts beside the compiled page what needs no compiling: its HTML and style sheet, and the libraries it loads, with their
 * licences. So the agent serves the page from its own folder and needs none of these packages at run time.
 */
import { copyFileSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const TARGET = join(ROOT, "dist", "page");
const COPIES = [
  ["src/page/index.html", "index.html"],
  ["src/page/style.css", "style.css"],
  ["node_modules/preact/dist/preact.mjs", "vendor/preact.js"],
  ["node_modules/preact/hooks/dist/hooks.mjs", "vendor/preact-hooks.js"],
  ["node_modules/preact/jsx-runtime/dist/jsxRuntime.mjs", "vendor/preact-jsx-runtime.js"],
  ["node_modules/preact/LICENSE", "vendor/preact.LICENSE"],
  ["node_modules/uplot/dist/uPlot.esm.js", "vendor/uplot.js"],
  ["node_modules/uplot/dist/uPlot.min.css", "vendor/uplot.css"],
  ["node_modules/uplot/LICENSE", "vendor/uplot.LICENSE"],
];

mkdirSync(join(TARGET, "vendor"), { recursive: true });
for (const [from, to] of COPIES) copyFileSync(join(ROOT, from), join(TARGET, to));
