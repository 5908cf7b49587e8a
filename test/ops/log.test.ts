import assert from "node:assert/strict";
import { test } from "node:test";
import { logLines } from "./log-lines.ts";

test("a line is one JSON object with level, time, cluster and text", () => {
  const { log, texts } = logLines();
  log.info({ link: "east" }, "link status");
  const [text = ""] = texts;
  assert.ok(text.endsWith("\n") && !text.slice(0, -1).includes("\n"));
  const { time, ...rest } = JSON.parse(text) as { time: string };
  assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual(rest, { level: "info", cluster: "west", link: "east", msg: "link status" });
});

test("secrets are covered, whoever passes them", () => {
  const { log, texts } = logLines();
  log.info({ password: "s3cret", token: "s3cret", local: { password: "s3cret" }, ssl: { key: "s3cret" } }, "odd");
  log.info({ endpoint: { tls: { key: "s3cret", passphrase: "s3cret" } }, http: { token: "s3cret" } }, "odd");
  assert.ok(!texts.join("").includes("s3cret"), texts.join(""));
});

test("lines below the level are not written", () => {
  const { log, lines } = logLines("warn");
  log.info("calm");
  log.warn("less calm");
  assert.deepEqual(
    lines().map(({ msg }) => msg),
    ["less calm"],
  );
});
