import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { until } from "../support/until.ts";
import { CONFIG, ReloadRig } from "./reload-rig.ts";

const OTHER = CONFIG.replace("[t]", "[t, u]");
const BAD = CONFIG.replace("[t]", "[a/#/b]");

describe("the configuration is read again", () => {
  test("when somebody asks; what is the same is no change", async (t) => {
    const rig = await ReloadRig.open(t);
    assert.deepEqual(await rig.reload.reload("signal"), { ok: true, changed: false });
    writeFileSync(rig.file, OTHER);
    assert.deepEqual(await rig.reload.reload("signal"), { ok: true, changed: true });
    assert.deepEqual(rig.topics, [["b", "t", "u"]]);
    assert.deepEqual(rig.reloads.status.counts, { applied: 1, unchanged: 1, invalid: 0, refused: 0 });
    assert.deepEqual(rig.said.slice(-1), ["configuration taken"]);
  });

  test("and changes nothing when it is bad, or the agent cannot take it: the problems are said, and counted", async (t) => {
    const rig = await ReloadRig.open(t);
    writeFileSync(rig.file, BAD);
    const bad = await rig.reload.reload("signal");
    assert.equal(!bad.ok && bad.code, "CONFIG_INVALID");
    assert.match(!bad.ok ? bad.reasons.join() : "", /links\[0\]\.topics\[0\]: filter "a\/#\/b" .*line 6/);
    assert.deepEqual(rig.given, []);
    assert.equal(rig.reloads.status.lastSucceeded, false);
    rig.refuses = "no room";
    writeFileSync(rig.file, OTHER);
    assert.deepEqual(await rig.reload.reload("signal"), { ok: false, code: "DATA_DIR_UNUSABLE", reasons: ["no room"] });
    unlinkSync(rig.file);
    assert.equal((await rig.reload.reload("signal")).ok, false);
    assert.deepEqual(rig.topics, [["b", "t"]]);
    assert.deepEqual(rig.reloads.status.counts, { applied: 0, unchanged: 0, invalid: 2, refused: 1 });
    const line = "configuration not taken: the one before stays in force";
    assert.deepEqual(rig.said, [`CONFIG_INVALID ${line}`, `DATA_DIR_UNUSABLE ${line}`, `CONFIG_INVALID ${line}`]);
  });

  test("under the variables and flags of the start", async (t) => {
    const env = { BROKERLINK_LOG__LEVEL: "warn" };
    const rig = await ReloadRig.open(t, { origin: { env, flags: { topics: [{ name: "b", filters: ["f"] }] } } });
    writeFileSync(rig.file, `${OTHER}log: { level: debug }\n`);
    assert.deepEqual(await rig.reload.reload("signal"), { ok: true, changed: false });
    assert.equal(rig.config.logLevel, "warn");
    assert.deepEqual(rig.topics, [["b", "f"]]);
  });
});

describe("changed files are noticed", () => {
  test("written in place, replaced by another, gone and back; each once", async (t) => {
    const rig = await ReloadRig.open(t, { watches: true });
    writeFileSync(rig.file, OTHER);
    await until("written in place", () => rig.config.links[0]?.topics.length === 2);
    writeFileSync(`${rig.file}.new`, CONFIG);
    renameSync(`${rig.file}.new`, rig.file);
    await until("another file", () => rig.config.links[0]?.topics.length === 1);
    unlinkSync(rig.file);
    await until("gone", () => rig.reloads.status.counts.invalid === 1);
    await rig.looks(4);
    writeFileSync(rig.file, OTHER);
    await until("back", () => rig.config.links[0]?.topics.length === 2);
    await rig.looks(4);
    assert.deepEqual(rig.reloads.status.counts, { applied: 3, unchanged: 0, invalid: 1, refused: 0 });
  });

  test("as a Kubernetes volume changes: one link to a folder is swapped, the files behind it are others", async (t) => {
    const volume = mkdtempSync(join(tmpdir(), "brokerlink-volume-"));
    t.after(() => rmSync(volume, { recursive: true }));
    const put = (name: string, text: string): void => {
      mkdirSync(join(volume, name));
      writeFileSync(join(volume, name, "config.yaml"), text);
      symlinkSync(name, join(volume, "..next"));
      renameSync(join(volume, "..next"), join(volume, "..data"));
    };
    put("..one", CONFIG);
    symlinkSync("..data/config.yaml", join(volume, "config.yaml"));
    const rig = await ReloadRig.open(t, { watches: true, origin: { path: join(volume, "config.yaml") } });
    put("..two", OTHER);
    await until("swapped", () => rig.config.links[0]?.topics.length === 2);
    assert.match(rig.editor.readOnlyReason ?? "", /Kubernetes/);
  });

  test("a bad one is said once, not at every look, and the next good one is taken", async (t) => {
    const rig = await ReloadRig.open(t, { watches: true });
    writeFileSync(rig.file, BAD);
    await until("refused", () => rig.reloads.status.counts.invalid === 1);
    await rig.looks(5);
    assert.equal(rig.said.length, 1);
    writeFileSync(rig.file, OTHER);
    await until("taken", () => rig.reloads.status.counts.applied === 1);
  });

  test("the files that the configuration names count too, also those it has named since", async (t) => {
    const rig = await ReloadRig.open(t, { watches: true, files: { secret: "one" } });
    writeFileSync(rig.file, `${CONFIG}    server: mqtt://h\n    username: u\n    password_file: secret\n`);
    await until("named", () => rig.config.links[0]?.endpoint?.password === "one");
    writeFileSync(join(rig.dir, "secret"), "two\n");
    await until("changed", () => rig.config.links[0]?.endpoint?.password === "two");
    unlinkSync(join(rig.dir, "secret"));
    await until("missed", () => rig.reloads.status.counts.invalid === 1);
    assert.equal(rig.config.links[0]?.endpoint?.password, "two");
    writeFileSync(join(rig.dir, "secret"), "three");
    await until("back", () => rig.config.links[0]?.endpoint?.password === "three");
    assert.doesNotMatch(rig.logged.texts.join(), /"(one|two|three)"/);
  });

  test("a file that is still being written is not read: two looks must see the same", async (t) => {
    const rig = await ReloadRig.open(t, { watches: true });
    for (let part = 1; part <= 30; part += 1) {
      writeFileSync(rig.file, `${BAD}# ${"x".repeat(part)}\n`);
      await new Promise((again) => setImmediate(again));
    }
    writeFileSync(rig.file, OTHER);
    await until("taken", () => rig.reloads.status.counts.applied === 1);
    assert.equal(rig.reloads.status.counts.invalid <= 1, true);
  });
});

describe("links change through the file", () => {
  test("and in the agent: made, changed, removed; the file's other lines stay, and our own writing is no news", async (t) => {
    const rig = await ReloadRig.open(t, { watches: true });
    chmodSync(rig.file, 0o640);
    await rig.reload.reload("signal");
    assert.equal(rig.editor.readOnlyReason, null);
    assert.deepEqual(await rig.editor.create({ name: "c", topics: ["x"] }), { ok: true });
    assert.deepEqual(await rig.editor.update("b", { topics: ["y"] }), { ok: true });
    assert.deepEqual(rig.topics, [
      ["b", "y"],
      ["c", "x"],
    ]);
    assert.deepEqual(await rig.editor.remove("b"), { ok: true });
    assert.match(rig.reload.source.text(), /^# keep me\n/);
    await rig.looks(5);
    assert.deepEqual(rig.reloads.status.counts, { applied: 3, unchanged: 1, invalid: 0, refused: 0 });
    writeFileSync(rig.file, CONFIG);
    await until("somebody else's writing is", () => rig.reloads.status.counts.applied === 4);
  });

  test("not when it would be wrong, or needs a restart: file and agent are as before", async (t) => {
    const rig = await ReloadRig.open(t);
    const refused = async (work: Promise<object>): Promise<string> =>
      Object.values(await work)
        .slice(1)
        .join(" ");
    assert.match(
      await refused(rig.editor.create({ name: "c", topics: ["a/#/b"] })),
      /BAD_REQUEST links\[1\]\.topics\[0\]: filter/,
    );
    assert.match(
      await refused(rig.editor.create({ name: "c", nonsense: 1 })),
      /BAD_REQUEST links\[1\]\.nonsense: is not a known key/,
    );
    assert.match(await refused(rig.editor.create({ name: "b" })), /ALREADY_EXISTS/);
    assert.match(await refused(rig.editor.update("z", {})), /NOT_FOUND/);
    assert.match(await refused(rig.editor.remove("z")), /NOT_FOUND/);
    writeFileSync(rig.file, CONFIG.replace("cluster: a", "cluster: z"));
    assert.match(await refused(rig.editor.remove("b")), /BAD_REQUEST only a restart can change cluster/);
    assert.deepEqual(rig.given, []);
    assert.deepEqual(rig.topics, [["b", "t"]]);
    assert.match(rig.reload.source.text(), /cluster: z\n[\s\S]*name: b/);
  });

  test("not when the agent cannot take it: the file is as it was", async (t) => {
    const rig = await ReloadRig.open(t);
    rig.refuses = "no room";
    assert.deepEqual(await rig.editor.remove("b"), {
      ok: false,
      code: "WRITE_FAILED",
      message: "DATA_DIR_UNUSABLE: no room",
    });
    assert.equal(rig.reload.source.text(), CONFIG);
  });

  test("not without a file of our own to write", async (t) => {
    const env = { BROKERLINK_CLUSTER: "a", BROKERLINK_LOCAL__SERVER: "mqtt://h", BROKERLINK_LOCAL__BROKER: "aedes" };
    const none = await ReloadRig.open(t, { text: null, origin: { env } });
    assert.match(none.editor.readOnlyReason ?? "", /no configuration file/);
    const byVariable = await ReloadRig.open(t, { origin: { env: { BROKERLINK_LINKS__0__TOPICS: "x" } } });
    assert.match(byVariable.editor.readOnlyReason ?? "", /BROKERLINK_LINKS__0__TOPICS/);
    const byFlag = await ReloadRig.open(t, { origin: { flags: { links: [{ name: "c", server: null }] } } });
    assert.match(byFlag.editor.readOnlyReason ?? "", /--link/);
    assert.deepEqual(await byFlag.editor.remove("b"), {
      ok: false,
      code: "READ_ONLY",
      message: byFlag.editor.readOnlyReason,
    });
  });

  test("not when the file, or its folder, is read-only; the reason names which", async (t) => {
    const rig = await ReloadRig.open(t);
    chmodSync(rig.file, 0o444);
    assert.match(rig.editor.readOnlyReason ?? "", /config\.yaml" is read-only$/);
    const result = await rig.editor.remove("b");
    assert.equal(!result.ok && result.code, "READ_ONLY");
    chmodSync(rig.file, 0o644);
    chmodSync(rig.dir, 0o555);
    assert.match(rig.editor.readOnlyReason ?? "", /the folder .* is read-only/);
    chmodSync(rig.dir, 0o755);
    unlinkSync(rig.file);
    assert.match(rig.editor.readOnlyReason ?? "", /cannot be looked at: ENOENT/);
  });
});
