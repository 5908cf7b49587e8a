import assert from "node:assert/strict";
import { test } from "node:test";
import * as environment from "../../src/config/environment.ts";
import type { Keys } from "../../src/config/format.ts";
import * as linkKeys from "../../src/config/link-keys.ts";
import { loadConfig } from "../../src/config/load.ts";
import { formatProblem } from "../../src/config/problem.ts";
import * as schema from "../../src/config/schema.ts";
import { CERTIFICATE, PRIVATE_KEY } from "../config/pem.ts";
import { repoRoot } from "../config/repo-root.ts";
import { readText } from "./repository.ts";

const EXAMPLE = "examples/brokerlink.yaml";

interface Generator {
  configReference(parts: object): string;
}

/** Outside of what is compiled, hence loaded at run time. */
async function generated(): Promise<string> {
  const { configReference } = (await import(new URL("scripts/config-reference.js", repoRoot()).href)) as Generator;
  return configReference({ schema, linkKeys, environment, example: readText(EXAMPLE) ?? "" });
}

test("docs/CONFIG.md is what the schema says: write it again with npm run docs", async () => {
  assert.equal(readText("docs/CONFIG.md"), await generated());
});

test("the configuration in the introduction of docs/CONFIG.md is a good one", () => {
  const yaml = /```yaml\n([\s\S]*?)```/.exec(readText("docs/CONFIG.md") ?? "")?.[1] ?? "";
  assert.deepEqual(problemsOf(yaml), []);
});

test("the complete example is a good configuration and names every key", () => {
  const text = readText(EXAMPLE) ?? "";
  assert.deepEqual(problemsOf(text), []);
  const missing = [...names(schema.AGENT_KEYS), ...names(linkKeys.LINK_KEYS)].filter(
    (name) => name !== "password" && !new RegExp(`\\b${name}:`).test(text),
  );
  assert.deepEqual(missing, []);
});

/** Of a file in examples/, with files behind all names. */
function problemsOf(text: string): string[] {
  const readFile = (path: string): string => {
    if (path.endsWith(".key")) return PRIVATE_KEY;
    return path.endsWith(".pem") ? CERTIFICATE : "a secret of a sufficient length".replaceAll(" ", "-");
  };
  const file = { path: EXAMPLE, text };
  const result = loadConfig({ file, env: {}, flags: {}, readFile, pathKind: () => null });
  return result.ok ? [] : result.problems.map(formatProblem);
}

function names(keys: Keys): string[] {
  return Object.entries(keys).flatMap(([key, node]) => (node.kind === "group" ? [key, ...names(node.keys)] : [key]));
}
