/**
 * The agent's directory on disk: nobody else's eyes, one process at a time.
 *
 *   lock.<number>      a socket: who has the directory
 *   journal            small state, see journal.ts
 *   spool/<link>/…         messages, see disk-spool-log.ts
 *   spool/<link>/live/…    those that passed a backlog
 */
import { join } from "node:path";
import { LinkError } from "../base/error-codes.ts";
import { DirLock } from "./dir-lock.ts";
import { diskFileSystem, type FileSystem } from "./file-system.ts";
import { type Report, reasonOf } from "./store-problem.ts";

const OTHERS = 0o007;
const NOT_THE_OWNER = 0o077;
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
const SPOOL = "spool";
/** Within a link's folder, which otherwise holds files only. */
export const LIVE_FOLDER = "live";

export interface DataDirOptions {
  readonly report: Report;
  readonly fs?: FileSystem;
}

export class DataDir {
  readonly path: string;
  readonly #lock: DirLock;

  private constructor(path: string, lock: DirLock) {
    this.path = path;
    this.#lock = lock;
  }

  /** Makes the directory if need be. Rejects with a LinkError. */
  static async open(path: string, options: DataDirOptions): Promise<DataDir> {
    const fs = options.fs ?? diskFileSystem;
    try {
      if (fs.state(path) === null) fs.makeFolder(path);
      closeToOthers(path, fs, options.report);
      const lock = await DirLock.take(path);
      return new DataDir(path, lock);
    } catch (error) {
      if (error instanceof LinkError) throw error;
      throw new LinkError("DATA_DIR_UNUSABLE", `${path}: ${reasonOf(error)}`, { cause: error });
    }
  }

  get journalPath(): string {
    return join(this.path, "journal");
  }

  spoolFolder(link: string): string {
    return join(this.path, SPOOL, link);
  }

  /** Of what passes a backlog. */
  liveFolder(link: string): string {
    return join(this.spoolFolder(link), LIVE_FOLDER);
  }

  close(): void {
    this.#lock.release();
  }
}

/** What others may read or write is closed to them; refused where that is not possible. */
function closeToOthers(path: string, fs: FileSystem, report: Report): void {
  const found = fs.state(path);
  if (found?.isFolder !== true) throw new LinkError("DATA_DIR_UNUSABLE", `${path} is not a directory`);
  const names = fs.list(path);
  const ours = names.filter(isOurs);
  // A mistake like "/tmp" or somebody's home must not end in closing that to everybody else.
  const stranger = names.find((name) => !isOurs(name) && !name.startsWith(".") && name !== "lost+found");
  if (stranger !== undefined && ours.length === 0) {
    const message = `${path} is not empty and has nothing of an agent in it (but ${stranger}): name an empty directory`;
    throw new LinkError("DATA_DIR_UNUSABLE", message);
  }
  closeOne(path, FOLDER_MODE, fs, report);
  const open = ours.map((name) => join(path, name));
  for (let inside = open.pop(); inside !== undefined; inside = open.pop()) {
    const state = fs.state(inside);
    // Locks of other processes that start at this moment come and go.
    if (state === null) continue;
    closeOne(inside, state.isFolder ? FOLDER_MODE : FILE_MODE, fs, report);
    if (state.isFolder) for (const name of fs.list(inside)) open.push(join(inside, name));
  }
}

function isOurs(name: string): boolean {
  return name === SPOOL || name.startsWith("journal") || name.startsWith("lock");
}

function closeOne(path: string, mode: number, fs: FileSystem, report: Report): void {
  const state = fs.state(path);
  if (state === null || (state.mode & NOT_THE_OWNER) === 0) return;
  const was = state.mode.toString(8).padStart(4, "0");
  try {
    fs.setMode(path, mode);
    report({ code: "DATA_DIR_UNUSABLE", message: `${path} had the permissions ${was}; it is closed to others now` });
  } catch (error) {
    // A volume that belongs to root and is open to the agent's group, as Kubernetes makes it, is as closed as it can be.
    if ((state.mode & OTHERS) === 0) return;
    throw new LinkError(
      "DATA_DIR_UNUSABLE",
      `${path} has the permissions ${was}: others can use it, and that cannot be changed (${reasonOf(error)})`,
    );
  }
}
