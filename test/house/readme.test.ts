import assert from "node:assert/strict";
import { test } from "node:test";
import { MOSQUITTO_LINES } from "../../src/broker/mosquitto-setup.ts";
import { readText } from "./repository.ts";

/** Nobody reads more before trying. */
const LINES_MAX = 200;

test("the README is short", () => {
  const lines = (readText("README.md") ?? "").trimEnd().split("\n").length;
  assert.ok(lines > 50 && lines <= LINES_MAX, `${lines} lines`);
});

test("the README shows the lines for mosquitto.conf that the agent asks for in its log", () => {
  assert.ok(readText("README.md")?.includes(`\n${MOSQUITTO_LINES.join("\n")}\n`));
});

test("the manual gives the reason for each of them", () => {
  const operating = readText("docs/OPERATING.md") ?? "";
  assert.deepEqual(
    MOSQUITTO_LINES.filter((line) => !operating.includes(`\`${line}\``)),
    [],
  );
});

test("every section that a page of ours links to inside itself exists", () => {
  for (const path of ["README.md", "docs/OPERATING.md", "docs/ARCHITECTURE.md"]) {
    const text = readText(path) ?? "";
    const anchors = new Set(
      [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
        title
          .toLowerCase()
          .replace(/[^\w\- ]/g, "")
          .replaceAll(" ", "-"),
      ),
    );
    const links = [...text.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor = ""]) => anchor);
    assert.deepEqual(
      links.filter((anchor) => !anchors.has(anchor)),
      [],
      path,
    );
  }
});
