/**
 * A data directory whose agent is gone, for whoever wants to be rid of what it left: found by name, and what has any other
 * name stays. The directory itself stays too, for it may be a volume.
 */
import { lstatSync, readdirSync, rmdirSync, statSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { LinkError } from "../base/error-codes.ts";
import { CLUSTER_NAME_PATTERN } from "../wire/names.ts";
import { LIVE_FOLDER } from "./data-dir.ts";
import { DirLock, isLockFile } from "./dir-lock.ts";
import { isSpoolFile } from "./spool-recovery.ts";
import { reasonOf } from "./store-problem.ts";

const JOURNAL = /^journal(?:\.new|\.damaged)?$/;
const SPOOL = "spool";

export interface Leftover {
  readonly kind: "spool" | "journal" | "lock";
  /** The link whose messages these are. */
  readonly link: string | null;
  readonly files: readonly string[];
  readonly bytes: number;
}

export class AbandonedDir {
  readonly path: string;
  readonly #lock: DirLock | null;

  private constructor(path: string, lock: DirLock | null) {
    this.path = path;
    this.#lock = lock;
  }

  /**
   * Null: nothing of an agent is there. Rejects with a LinkError, such as DATA_DIR_LOCKED when its agent is not gone. No
   * agent can start in it until `close`, unless it is only looked at.
   */
  static async open(path: string, { onlyLook }: { readonly onlyLook: boolean }): Promise<AbandonedDir | null> {
    return reported(path, async () => {
      if (statSync(path, { throwIfNoEntry: false }) === undefined) return null;
      if (new AbandonedDir(path, null).leftovers().length === 0) return null;
      const owner = await DirLock.owner(path);
      if (owner !== null) {
        throw new LinkError("DATA_DIR_LOCKED", `${path} is in use by ${owner}: stop that agent first`);
      }
      return new AbandonedDir(path, onlyLook ? null : await DirLock.take(path));
    });
  }

  /** In the order in which they should go: while a lock is there, somebody who looks finds an owner. */
  leftovers(): Leftover[] {
    const names = namesIn(this.path);
    const at = (found: readonly string[]): string[] => found.map((name) => join(this.path, name));
    const lists = [
      ...(names.includes(SPOOL) ? this.#spools() : []),
      leftover("journal", null, at(names.filter((name) => JOURNAL.test(name)))),
      leftover("lock", null, at(names.filter(isLockFile))),
    ];
    return lists.filter(({ kind, files }) => files.length > 0 || kind === "spool");
  }

  /** Throws a LinkError. */
  async remove({ kind, link, files }: Leftover): Promise<void> {
    await reported(this.path, async () => {
      for (const file of files) unlinkSync(file);
      if (kind !== "spool" || link === null) return;
      const spool = join(this.path, SPOOL);
      for (const folder of [join(spool, link, LIVE_FOLDER), join(spool, link), spool]) removeIfEmpty(folder);
    });
  }

  close(): void {
    this.#lock?.release();
  }

  #spools(): Leftover[] {
    const spool = join(this.path, SPOOL);
    const links = namesIn(spool).filter((name) => CLUSTER_NAME_PATTERN.test(name) && isFolder(join(spool, name)));
    return links.sort().map((link) => {
      const folder = join(spool, link);
      const files = [folder, join(folder, LIVE_FOLDER)].flatMap(spoolFilesIn);
      return leftover("spool", link, files);
    });
  }
}

function leftover(kind: Leftover["kind"], link: string | null, files: readonly string[]): Leftover {
  return { kind, link, files, bytes: files.reduce((sum, file) => sum + lstatSync(file).size, 0) };
}

function spoolFilesIn(folder: string): string[] {
  return namesIn(folder)
    .filter(isSpoolFile)
    .map((name) => join(folder, name));
}

function namesIn(folder: string): string[] {
  return isFolder(folder) ? readdirSync(folder).sort() : [];
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** A folder in which somebody else keeps something stays, and so does one that is a link to another place. */
function removeIfEmpty(folder: string): void {
  if (lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() === true && readdirSync(folder).length === 0)
    rmdirSync(folder);
}

async function reported<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof LinkError) throw error;
    throw new LinkError("DATA_DIR_UNUSABLE", `${path}: ${reasonOf(error)}`, { cause: error });
  }
}
