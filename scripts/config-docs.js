/** Writes docs/CONFIG.md from the schema in dist/: `npm run docs`. */
import { mkdirSync, writeFileSync } from "node:fs";
import { configReference } from "../dist/config/reference.js";

const docs = new URL("../docs/", import.meta.url);
mkdirSync(docs, { recursive: true });
writeFileSync(new URL("CONFIG.md", docs), configReference());
