import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { DataDir } from "../../src/store/data-dir.ts";
import { diskFileSystem } from "../../src/store/file-system.ts";

test("a folder is made with those above it, closed to others, and may be there already", () => {
  const dir = mkdtempSync(join(tmpdir(), "brokerlink-folder-"));
  try {
    const path = join(dir, "a", "b");
    diskFileSystem.makeFolder(path);
    diskFileSystem.makeFolder(path);
    assert.equal(statSync(path).mode & 0o777, 0o700);
    writeFileSync(join(dir, "file"), "");
    assert.throws(() => diskFileSystem.makeFolder(join(dir, "file", "c", "d")), /file is not a directory/);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

test("where no folder can be made the agent says so, and does not try for ever", async () => {
  await assert.rejects(DataDir.open("/proc/brokerlink/data", { report: () => {} }), {
    code: "DATA_DIR_UNUSABLE",
    message: /\/proc\/brokerlink/,
  });
});
