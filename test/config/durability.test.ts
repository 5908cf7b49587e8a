import assert from "node:assert/strict";
import { test } from "node:test";
import { describeConfig } from "../../src/config/describe.ts";
import type { AgentConfig } from "../../src/config/types.ts";
import { BASE, load, loaded, problemsOf, type Sources, warningsOf } from "./loading.ts";

const QUEUE = "max_queued_messages there must hold it, or the broker drops the rest in silence";

/** One link for each durability; undefined: none is given. */
function withLinks(durabilities: readonly (string | undefined)[], more: object = {}): Sources {
  const links = durabilities.map((durability, index) => ({ name: `l${index}`, ...(durability && { durability }) }));
  return { file: { ...BASE, links, ...more } };
}

/** What the defaults that depend on others came to. */
function kept(config: AgentConfig): object {
  return {
    dataDir: config.dataDir,
    bytesMax: config.spool.bytesMax,
    links: config.links.map(({ durability, routeRetentionMs }) => [durability, routeRetentionMs]),
  };
}

test("a directory makes links durable, their spools large, and the routes of a silent peer last as long as messages", () => {
  const all = ["disk", "memory", "end_to_end", undefined];
  assert.deepEqual(kept(loaded(withLinks(all, { data_dir: "/d", spool: { max_age: "2h" } }))), {
    dataDir: "/d",
    bytesMax: 2 ** 30,
    links: [
      ["disk", 7_200_000],
      ["memory", 60_000],
      ["end_to_end", 60_000],
      ["disk", 7_200_000],
    ],
  });
  assert.deepEqual(kept(loaded(withLinks(all.slice(1), { spool: { max_age: "2h" } }))), {
    dataDir: null,
    bytesMax: 128 * 2 ** 20,
    links: [
      ["memory", 60_000],
      ["end_to_end", 60_000],
      ["memory", 60_000],
    ],
  });
});

test("what is given stands, whatever the defaults depend on", () => {
  const spool = { max_bytes: "1MiB", when_full: "backpressure" };
  const config = loaded({
    file: { ...BASE, data_dir: "d", spool, links: [{ name: "b", durability: "memory", route_retention: "5m" }] },
  });
  assert.deepEqual(kept(config), { dataDir: "d", bytesMax: 2 ** 20, links: [["memory", 300_000]] });
  assert.equal(config.spool.whenFull, "backpressure");
});

test("the directory comes from the file, the environment or a flag, the last one wins, and it is where it says", () => {
  const file = { ...BASE, data_dir: "from/file" };
  const env = { BROKERLINK_DATA_DIR: "from/environment" };
  assert.equal(loaded({ file }).dataDir, "from/file", "not below conf/, where the file is");
  assert.equal(loaded({ file, env }).dataDir, "from/environment");
  assert.equal(loaded({ file, env, flags: { dataDir: "/from/flag" } }).dataDir, "/from/flag");
});

test("durability on disk without a directory is a problem that names both keys", () => {
  assert.deepEqual(problemsOf(withLinks(["memory", "disk"])), [
    'links[1].durability: "disk" needs data_dir, which is missing: name a directory there, or let the durability be "memory" or "end_to_end"',
  ]);
  assert.deepEqual(problemsOf(withLinks(["memory", "end_to_end", undefined])), []);
  assert.deepEqual(problemsOf(withLinks(["dsk"])), [
    'links[0].durability: "dsk" is no durability: known are disk, memory, end_to_end; did you mean "disk"?',
  ]);
});

test("the name of the directory is a text that may become one: nothing there yet, or a directory", () => {
  const problems = (data_dir: unknown): readonly string[] =>
    problemsOf({ ...withLinks(["disk"], { data_dir }), files: { "/a/file": "x" }, folders: ["/a/folder"] });
  assert.deepEqual(problems("/a/folder"), []);
  assert.deepEqual(problems("/not/there/yet"), []);
  assert.deepEqual(problems("/a/file"), ['data_dir: "/a/file" is no directory']);
  assert.deepEqual(problems("/forbidden/x"), ['data_dir: cannot use "/forbidden/x": EACCES: permission denied']);
  assert.deepEqual(problems(""), ["data_dir: is empty"], "and not that durability lacks it too");
  assert.match(problems(5).join(), /^data_dir: must be a text, and is the number 5: put it in quotes$/);
  assert.match(problems("a\nb").join(), /^data_dir: has a control character/);
  assert.deepEqual(problems("x".repeat(4_097)), ["data_dir: is longer than 4096 bytes"]);
});

test("a problem of the directory says who named it", () => {
  const files = { "/a/file": "x" };
  const env = load({ file: BASE, env: { BROKERLINK_DATA_DIR: "/a/file" }, files });
  const flag = load({ file: BASE, flags: { dataDir: "/a/file" }, files });
  assert.deepEqual(env.ok || env.problems.map(({ from }) => from), ["BROKERLINK_DATA_DIR"]);
  assert.deepEqual(flag.ok || flag.problems.map(({ from }) => from), ["--data-dir"]);
});

test("what the durability leaves to luck is said once for all links, and only where it is so", () => {
  const told = (sources: Sources): readonly string[] => warningsOf(sources);
  assert.deepEqual(told(withLinks([undefined, "disk"], { data_dir: "d" })), []);
  assert.deepEqual(told(withLinks(["memory"], { data_dir: "d" })), [], "somebody chose it");
  const memory = told(withLinks(["memory", undefined, "end_to_end", "end_to_end"]));
  assert.equal(memory.length, 2, memory.join("\n"));
  assert.match(memory[0] ?? "", /^durability: memory, for there is no data_dir: .* are lost when this agent ends$/);
  assert.ok(memory[1]?.startsWith("durability: end_to_end: what a peer has not confirmed waits in the local broker's"));
  assert.ok(memory[1]?.includes(QUEUE), memory[1]);
  const full = told(withLinks([undefined, undefined], { data_dir: "d", spool: { when_full: "backpressure" } }));
  assert.equal(full.length, 1, full.join("\n"));
  assert.ok(full[0]?.startsWith("spool.when_full: backpressure: ") && full[0].includes(QUEUE), full[0]);
});

test("spools on disk take no memory: only the others count against it", () => {
  const warned = (durabilities: readonly string[], max_bytes: string): boolean =>
    warningsOf(withLinks(durabilities, { data_dir: "d", spool: { max_bytes } })).some((warning) =>
      warning.startsWith("spool.max_bytes: all spools together"),
    );
  assert.equal(warned(["disk", "disk", "disk"], "1TiB"), false);
  assert.equal(warned(["disk", "memory"], "1GiB"), false);
  assert.equal(warned(["disk", "memory", "end_to_end"], "1GiB"), true);
});

test("a configuration in plain words says where messages are, how many, and what becomes of them", () => {
  const lines = (sources: Sources): string[] => describeConfig(loaded(sources));
  const durable = lines(withLinks(["disk", "memory", "end_to_end"], { data_dir: "/var/lib/brokerlink" }));
  for (const line of [
    '  state     kept in "/var/lib/brokerlink"',
    "  spool     for each link up to 1GiB, for up to 1d; when full it drops the oldest messages",
    '  messages  on disk: safe once they are in "/var/lib/brokerlink", until l0 confirms them',
    "  silence   its routes stay in force for 1d",
    "  messages  in memory: what l1 has not confirmed is lost when this agent ends",
    "  messages  in memory, and in the local broker's queue until l2 confirms them",
    "  silence   its routes stay in force for 1m",
  ]) {
    assert.ok(durable.includes(line), `${line}\nis not in\n${durable.join("\n")}`);
  }
  const full = (when_full: string): string =>
    lines(withLinks([undefined], { spool: { when_full } })).find((line) => line.startsWith("  spool")) ?? "";
  assert.match(full("drop_newest"), /when full it drops the newest messages$/);
  assert.match(full("backpressure"), /when full nothing more is acknowledged, and the local broker's own queue holds/);
});
