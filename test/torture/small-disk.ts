/**
 * A folder whose disk can be filled: a small tmpfs of its own where this process may mount one (ENOSPC), else an ordinary
 * folder, and then the process that writes there gets a limit of no bytes instead (EFBIG).
 */
import { execFileSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
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

  /** No byte more fits, or at least none of this process. */
  async fill(pid: number): Promise<void> {
    if (!this.mounted) {
      limitFiles(pid, "0");
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

  async free(pid: number): Promise<void> {
    if (this.mounted) rmSync(join(this.path, "ballast"), { force: true });
    else limitFiles(pid, "unlimited");
  }

  async remove(): Promise<void> {
    if (!existsSync(this.path)) return;
    if (this.mounted) execFileSync("umount", ["-l", this.path], { stdio: "ignore" });
  }
}

/** Of the soft limit only, so that it can be taken back. */
function limitFiles(pid: number, bytes: string): void {
  execFileSync("prlimit", ["--pid", String(pid), `--fsize=${bytes}:`], { stdio: "ignore" });
}
