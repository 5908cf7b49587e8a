import assert from "node:assert/strict";
import { test } from "node:test";
import { FOLDER_ORDER, filesUnder, importsOf, PURE_FOLDERS, resolved, type SourceFile } from "./repository.ts";

/** What Node starts, and what the browser loads. */
const ENTRIES = ["src/cli/main.ts", "src/page/main.tsx"];
const SOURCES = filesUnder("src", [".ts", ".tsx"]);
const RANK = new Map<string, number>(FOLDER_ORDER.map((folder, index) => [folder, index]));

function isRelative(specifier: string): boolean {
  return specifier.startsWith(".");
}

test("the parser of these tests sees every form of import", () => {
  const text = [
    'import { a } from "./a.ts";',
    'import type { B } from "../b/b.ts";',
    "import {",
    "  c,",
    '} from "./c.ts";',
    'export { d } from "./d.ts";',
    'import "./e.ts";',
    'const f = await import("./f.ts");',
    'new Worker(new URL("./g.js", import.meta.url));',
    '// import "./no.ts";',
    '/* from "./no.ts" */',
    'const url = "mqtt://x"; import "node:fs";',
  ].join("\n");
  const found = importsOf({ path: "src/x/x.ts", folder: "x", text });
  assert.deepEqual(found, ["./a.ts", "../b/b.ts", "./c.ts", "./d.ts", "./e.ts", "./f.ts", "./g.js", "node:fs"]);
  assert.equal(resolved({ path: "src/x/x.ts", folder: "x", text }, "../b/b.ts"), "src/b/b.ts");
});

test("every folder of src has its place in the import order", () => {
  const strays = SOURCES.filter((file) => !RANK.has(file.folder)).map((file) => file.path);
  assert.deepEqual(strays, []);
});

test("a folder imports only itself and those before it in the order", () => {
  const wrong: string[] = [];
  for (const file of SOURCES) {
    for (const specifier of importsOf(file).filter(isRelative)) {
      const target = resolved(file, specifier);
      const [top, folder] = target.split("/");
      const allowed =
        top === "src" && (RANK.get(folder ?? "") ?? Number.POSITIVE_INFINITY) <= (RANK.get(file.folder) ?? -1);
      if (!allowed) wrong.push(`${file.path} imports ${specifier}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test("the pure folders import no module of Node and no package", () => {
  const wrong: string[] = [];
  for (const file of SOURCES.filter(({ folder }) => PURE_FOLDERS.has(folder))) {
    for (const specifier of importsOf(file))
      if (!isRelative(specifier)) wrong.push(`${file.path} imports ${specifier}`);
  }
  assert.deepEqual(wrong, []);
});

/** Packages that only some folders may import, and why. */
const PACKAGE_OWNERS: Readonly<Record<string, readonly string[]>> = {
  // The agent's sessions are all made in mqtt/. The demo's clients are not the agent: they are the users it shows.
  mqtt: ["mqtt", "demo"],
  // A broker in the process is for the demo; an agent stands beside one.
  aedes: ["demo"],
  // They are for the browser, and not there at run time.
  preact: ["page"],
  uplot: ["page"],
};

test("packages that belong to one part are imported by no other", () => {
  const found = new Map(Object.keys(PACKAGE_OWNERS).map((name) => [name, new Set<string>()]));
  for (const file of SOURCES) for (const specifier of importsOf(file)) found.get(specifier)?.add(file.folder);
  for (const [name, owners] of Object.entries(PACKAGE_OWNERS)) {
    assert.deepEqual([...(found.get(name) ?? [])].sort(), [...owners].sort(), `who imports ${name}`);
  }
});

test("no source file is dead: the command line or the page reaches each of them", () => {
  const byPath = new Map<string, SourceFile>(SOURCES.map((file) => [file.path, file]));
  for (const entry of ENTRIES) assert.ok(byPath.has(entry), `${entry} is missing`);
  const reached = new Set<string>();
  const open = [...ENTRIES];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const file = byPath.get(path);
    if (file === undefined || reached.has(path)) continue;
    reached.add(path);
    for (const specifier of importsOf(file).filter(isRelative)) open.push(asSource(resolved(file, specifier)));
  }
  // Declarations of globals are never imported.
  const dead = [...byPath.keys()].filter((path) => !reached.has(path) && !path.endsWith(".d.ts"));
  assert.deepEqual(dead, []);
});

/** A worker is named as it will be after compilation. */
function asSource(path: string): string {
  return path.startsWith("src/") ? path.replace(/\.js$/, ".ts") : path;
}
