/**
 * A memory limit as a container has it: a control group of its own, of version 2 or 1, whatever this machine lets us
 * make. What runs in it sees the limit, and dies when it needs more.
 */
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "./until.ts";

/** Where the kernel shows groups, and the name of the file with the limit. */
const KINDS = [
  { root: "/sys/fs/cgroup/memory", limit: "memory.limit_in_bytes" },
  { root: "/sys/fs/cgroup", limit: "memory.max" },
] as const;

export class MemoryCage {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Null: not on this machine, and `why` is told. */
  static open(name: string, bytes: number, why: (reason: string) => void): MemoryCage | null {
    for (const { root, limit } of KINDS) {
      if (!existsSync(join(root, "cgroup.procs"))) continue;
      const folder = join(root, `brokerlink-${process.pid}-${name}`);
      try {
        mkdirSync(folder);
        writeFileSync(join(folder, limit), String(bytes));
        return new MemoryCage(folder);
      } catch (error) {
        if (existsSync(folder)) rmdirSync(folder);
        why(`${folder}: ${error instanceof Error ? error.message : error}`);
      }
    }
    return null;
  }

  /** Begins a command line that runs the rest of it inside. */
  get launcher(): readonly string[] {
    return ["/bin/sh", "-c", `echo $$ > ${this.#folder}/cgroup.procs && exec "$@"`, "caged"];
  }

  /** Once all that ran inside has ended. */
  async close(): Promise<void> {
    await until("the control group is empty", () => {
      try {
        rmdirSync(this.#folder);
        return true;
      } catch (error) {
        // EBUSY while the kernel still counts a process that has just ended.
        return error instanceof Error ? error.message : "busy";
      }
    });
  }
}
