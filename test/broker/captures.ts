/** Reads the recorded broker messages of test/captures, wherever the compiled test lies. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Captured {
  readonly step: string;
  readonly topic: string;
  readonly payload: string;
  readonly retain: boolean;
}

export function readCapture(name: string): Captured[] {
  const lines = readFileSync(captureFile(`${name}.jsonl`), "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Captured);
}

export function captureFile(name: string): string {
  return join(root(), "test", "captures", name);
}

function root(): string {
  let dir = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(dir, "package.json"))) {
    const up = dirname(dir);
    if (up === dir) throw new Error("no package.json above the test");
    dir = up;
  }
  return dir;
}
