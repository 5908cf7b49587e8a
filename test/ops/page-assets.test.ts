import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { PageAssets } from "../../src/ops/page-assets.ts";

test("the page is the built one, wherever the agent was compiled to", () => {
  const assets = new PageAssets();
  const index = assets.get("/")?.body ?? "";
  const named = [...index.matchAll(/(?:src|href)="(page\/[^"]+)"/g)].map(([, path]) => `/${path}`);
  assert.ok(named.includes("/page/main.js"), index);
  for (const path of named) assert.notEqual(assets.get(path), null, path);
  assert.equal(assets.get("/page/../index.html"), null);
});

test("without a page the agent says so when it begins, not at the first request", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "brokerlink-page-"));
  t.after(() => rmSync(folder, { recursive: true }));
  assert.throws(() => new PageAssets(folder), /index\.html/);
});
