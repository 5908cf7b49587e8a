/**
 * The image's file tree without a container engine: the steps of the Dockerfile's build stage run here into an empty folder, Node and
 * its libraries come beside it, and programs run in it as the image's user with everything but the volumes read-only.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, chownSync, copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { dockerfile } from "../support/dockerfile.ts";
import { newerNode } from "../support/newer-node.ts";
import { repoFolder } from "../support/repo-folder.ts";

export const IMAGE_USER = 65_532;
/** Folders that the chart puts volumes on. Everything else stays as the image has it. */
const VOLUME = "var/lib/brokerlink";
const OF_THE_HOST = ["proc", "dev", "etc/brokerlink"];

export class ImageRoot {
  readonly folder: string;
  /** What holds the tree together here: for the record of the test. */
  readonly how: string;
  /** Whether paths inside are those of the image; else they are the host's. */
  readonly mounted: boolean;
  readonly #launcher: readonly string[];

  private constructor(folder: string, config: string) {
    this.folder = folder;
    const isRoot = process.getuid?.() === 0;
    this.mounted = isRoot && spawnSync("unshare", ["--mount", "true"]).status === 0;
    this.how = this.mounted ? "a root of its own, mounted read-only" : "a folder whose files are read-only";
    const asUser = ["setpriv", `--reuid=${IMAGE_USER}`, `--regid=${IMAGE_USER}`, "--clear-groups"];
    this.#launcher = this.mounted ? mountedLauncher(folder, config) : isRoot ? asUser : [];
    if (!this.mounted) {
      // Without the right to mount, what the user could change is taken away file by file, and paths stay the host's.
      execFileSync("chmod", ["-R", "a-w", join(folder, "app"), join(folder, "nodejs")]);
      copyFileSync(join(config, "brokerlink.yaml"), join(folder, "etc/brokerlink/brokerlink.yaml"));
    }
  }

  /** `config`: folder with a brokerlink.yaml, as the pod's ConfigMap. */
  static build(config: string): ImageRoot {
    const folder = mkdtempSync(join(tmpdir(), "brokerlink-image-"));
    try {
      // Others may look into it, as into a container's root.
      chmodSync(folder, 0o755);
      runBuildStage(folder);
      addNode(folder);
      for (const path of OF_THE_HOST) mkdirSync(join(folder, path), { recursive: true });
      return new ImageRoot(folder, config);
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** A command line for the image's own user, from one for inside the image. */
  command(args: readonly string[]): readonly string[] {
    const placed = (arg: string): string =>
      arg.replace(/^\/(?=nodejs\/|app(?:\/|$)|etc\/brokerlink)/, `${this.folder}/`);
    return [...this.#launcher, ...(this.mounted ? args : args.map(placed))];
  }

  remove(): void {
    execFileSync("chmod", ["-R", "u+w", this.folder]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** In a mount namespace of its own: nothing of it is seen outside, and all of it goes with the process. */
function mountedLauncher(folder: string, config: string): readonly string[] {
  const script = [
    "set -e",
    "mount --make-rprivate /",
    `mount --bind ${folder} ${folder}`,
    `mount -o remount,bind,ro ${folder}`,
    // A volume of its own, as the pod has one; the rest of the tree keeps nothing.
    `mount -t tmpfs -o mode=0700,uid=${IMAGE_USER},gid=${IMAGE_USER} tmpfs ${folder}/${VOLUME}`,
    `mount --bind ${config} ${folder}/etc/brokerlink`,
    `mount -o remount,bind,ro ${folder}/etc/brokerlink`,
    `mount --rbind /proc ${folder}/proc`,
    `mount --rbind /dev ${folder}/dev`,
    `exec chroot --userspec=${IMAGE_USER}:${IMAGE_USER} --groups= ${folder} "$@"`,
  ].join("\n");
  return ["unshare", "--mount", "sh", "-c", script, "image"];
}

/** The last RUN of the stage `build`, with its absolute folders below ours. */
export function buildSteps(): string {
  const stage = /^FROM .* AS build$([\s\S]*?)^FROM /m.exec(dockerfile())?.[1] ?? "";
  const steps = [...stage.matchAll(/^RUN (npm run build(?:.*\\\n)*.*)$/gm)].at(-1)?.[1];
  if (steps === undefined) throw new Error("the Dockerfile's build stage has no step that begins with npm run build");
  return steps.replaceAll("\\\n", "");
}

function runBuildStage(folder: string): void {
  const out = join(folder, ".build");
  mkdirSync(join(out, "tmp"), { recursive: true });
  // Built already, by the same command; again would pull dist/ away under tests that run beside this one.
  const script = buildSteps()
    .replace("npm run build", "true")
    .replaceAll(/(?<![\w.])\/tmp(?![\w])/g, join(out, "tmp"))
    .replaceAll(/(?<![\w.])\/out(?![\w])/g, join(out, "out"));
  execFileSync("sh", ["-e", "-c", script], { cwd: repoFolder(), stdio: "pipe", encoding: "utf8" });
  execFileSync("sh", ["-e", "-c", `mv ${out}/out/* ${folder}/ && rm -rf ${out}`]);
  if (process.getuid?.() === 0) {
    execFileSync("chown", ["-R", "0:0", join(folder, "app")]);
    chownSync(join(folder, VOLUME), IMAGE_USER, IMAGE_USER);
  }
  // As checked out, whatever the umask of who runs this is.
  execFileSync("chmod", ["-R", "a+rX,go-w", folder]);
}

/** What the image's base brings: Node, and the libraries that it is linked with. */
function addNode(folder: string): void {
  const program = newerNode();
  const copied = execFileSync("ldd", [program], { encoding: "utf8" }).matchAll(/(\/\S+) \(0x/g);
  for (const [, library = ""] of copied) place(library, join(folder, library));
  place(program, join(folder, "nodejs", "bin", "node"));
}

function place(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
  chmodSync(to, 0o755);
}
