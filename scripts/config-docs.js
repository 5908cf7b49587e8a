/** Writes docs/CONFIG.md from the schema in dist/: `npm run docs`. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import * as environment from "../dist/config/environment.js";
import * as linkKeys from "../dist/config/link-keys.js";
import * as schema from "../dist/config/schema.js";
import { configReference } from "./config-reference.js";

const docs = new URL("../docs/", import.meta.url);
const example = readFileSync(new URL("../examples/brokerlink.yaml", import.meta.url), "utf8");
mkdirSync(docs, { recursive: true });
writeFileSync(new URL("CONFIG.md", docs), configReference({ schema, linkKeys, environment, example }));
