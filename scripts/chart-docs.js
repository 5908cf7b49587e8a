/**
 * Writes what is generated in helm/brokerlink from the schema in dist/ and from values.yaml, and copies what it ships of examples/: part
 * of `npm run docs`.
 */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import * as linkKeys from "../dist/config/link-keys.js";
import * as schema from "../dist/config/schema.js";
import * as names from "../dist/wire/names.js";
import { chartConfigSchema } from "./chart-config-schema.js";
import { chartReadme } from "./chart-readme.js";

const MONITORING_FILES = ["alerts.yaml", "dashboard.json"];
const chart = new URL("../helm/brokerlink/", import.meta.url);
const read = (name) => readFileSync(new URL(name, chart), "utf8");

const values = JSON.parse(read("values.schema.json"));
const { config, cluster } = chartConfigSchema({ schema, linkKeys, names });
values.properties.config = config;
values.definitions.cluster = cluster;
writeFileSync(new URL("values.schema.json", chart), `${JSON.stringify(values, null, 2)}\n`);
writeFileSync(new URL("README.md", chart), chartReadme({ values: read("values.yaml"), chart: read("Chart.yaml") }));

// A chart reads only what is inside it.
mkdirSync(new URL("files/", chart), { recursive: true });
for (const name of MONITORING_FILES) {
  copyFileSync(new URL(`../examples/monitoring/${name}`, import.meta.url), new URL(`files/${name}`, chart));
}
