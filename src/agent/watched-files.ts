/**
 * Notices that files changed, by looking at them. A look costs next to nothing, and sees what notifications do not: names
 * that become other files (editors, the swapped links of a Kubernetes volume), network file systems, files that appear.
 *
 * A change counts when two looks in a row see the same: nobody reads a file that is half written.
 */
import { stat } from "node:fs/promises";

type Looks = ReadonlyMap<string, string>;

export class WatchedFiles {
  /** As they were when they were read last. */
  #known: Looks = new Map();
  #seen: Looks = new Map();

  /** To be called before files are read: what changes while they are is then found by the next look. */
  async know(paths: Iterable<string>): Promise<void> {
    this.#known = await look(paths);
  }

  /** Of this one alone. */
  async knowOne(path: string): Promise<void> {
    this.#known = new Map(this.#known).set(path, await lookAt(path));
  }

  /** These are the files from now on: what is known of some of them stays. */
  async narrow(paths: Iterable<string>): Promise<void> {
    const now = await look(paths);
    this.#known = new Map([...now].map(([path, seen]) => [path, this.#known.get(path) ?? seen]));
  }

  /** Whether one of the files differs from what is known, and all are at rest. */
  async haveChanged(): Promise<boolean> {
    const now = await look(this.#known.keys());
    const isAtRest = areSame(now, this.#seen);
    this.#seen = now;
    return isAtRest && !areSame(now, this.#known);
  }
}

/** At what the names stand for, links followed. */
async function look(paths: Iterable<string>): Promise<Looks> {
  return new Map(await Promise.all([...paths].map(async (path) => [path, await lookAt(path)] as const)));
}

async function lookAt(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, mode, uid, gid } = await stat(path, { bigint: true });
    // The rights too: a file that could not be read may become readable.
    return [dev, ino, size, mtimeNs, mode, uid, gid].join(" ");
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "unknown";
  }
}

function areSame(a: Looks, b: Looks): boolean {
  return a.size === b.size && [...a].every(([path, seen]) => b.get(path) === seen);
}
