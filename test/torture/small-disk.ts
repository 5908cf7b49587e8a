/**
 * A folder whose disk can be filled: a small tmpfs of its own where this process may mount one, else an ordinary folder, and
 * then `fill` takes the right to write away instead (EACCES in place of ENOSPC).
 */
import { execFileSync } from "node:child_process";
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

const SIZE = "256m";
const BLOCK = Buffer.alloc(64 * 1024, 1);

export class SmallDisk {
  readonly path: string;
  readonly mounted: boolean;

  private constructor(path: string, mounted: boolean) {
    this.path = path;
    this.mounted = mounted;
  }

  static async make(within: string): Promise<SmallDisk> {
    const path = join(within, "disk");
    mkdirSync(path, { mode: 0o700 });
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", `size=${SIZE},mode=700`, "tmpfs", path], { stdio: "ignore" });
      return new SmallDisk(path, true);
    } catch {
      return new SmallDisk(path, false);
    }
  }

  /** No byte more fits. */
  async fill(): Promise<void> {
    if (!this.mounted) {
      chmodSync(this.path, 0o500);
      return;
    }
    const file = openSync(join(this.path, "ballast"), "w", 0o600);
    try {
      for (let size = BLOCK.length; size > 0; size >>= 1) {
        try {
          for (;;) writeSync(file, BLOCK, 0, size);
        } catch {
          // Full for blocks of this size.
        }
      }
    } finally {
      closeSync(file);
    }
  }

  async free(): Promise<void> {
    if (this.mounted) rmSync(join(this.path, "ballast"), { force: true });
    else chmodSync(this.path, 0o700);
  }

  async remove(): Promise<void> {
    if (!existsSync(this.path)) return;
    await this.free();
    if (this.mounted) execFileSync("umount", ["-l", this.path], { stdio: "ignore" });
  }
}
