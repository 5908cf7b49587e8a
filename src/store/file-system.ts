/**
 * The few things that the store asks of a disk, so that a test can let each of them fail. Writing is synchronous, since it
 * only fills the page cache; waiting for the disk is not, or the event loop would stand still with it.
 */
import {
  chmodSync,
  closeSync,
  fdatasync,
  fdatasyncSync,
  fsync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  type Stats,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";

export type SyncDone = (error: Error | null) => void;

export interface FileState {
  /** The permission bits alone. */
  readonly mode: number;
  readonly uid: number;
  readonly isFolder: boolean;
}

export interface FileSystem {
  /** Makes a new file, 0600; fails when there is one. */
  create(path: string): number;
  openForWriting(path: string): number;
  close(fd: number): void;
  /** The whole file. */
  read(path: string): Buffer;
  /** Answers how many bytes were taken, which may be fewer on a disk that is nearly full. */
  write(fd: number, bytes: Uint8Array, position: number): number;
  truncate(fd: number, length: number): void;
  /** The content and the length of a file. */
  sync(fd: number, done: SyncDone): void;
  syncNow(fd: number): void;
  /** Which files a folder has: a new file is only there after a power cut if its folder was synced too. */
  syncFolder(path: string, done: SyncDone): void;
  syncFolderNow(path: string): void;
  list(path: string): string[];
  remove(path: string): void;
  rename(from: string, to: string): void;
  /** With all folders above it, 0700 each. */
  makeFolder(path: string): void;
  /** null: there is nothing. */
  state(path: string): FileState | null;
  setMode(path: string, mode: number): void;
}

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
const PERMISSION_BITS = 0o777;

export const diskFileSystem: FileSystem = {
  create: (path) => openSync(path, "wx+", FILE_MODE),
  openForWriting: (path) => openSync(path, "r+"),
  close: closeSync,
  read: (path) => readFileSync(path),
  write: (fd, bytes, position) => writeSync(fd, bytes, 0, bytes.length, position),
  truncate: ftruncateSync,
  sync: fdatasync,
  syncNow: fdatasyncSync,
  syncFolder(path, done) {
    let fd: number;
    try {
      fd = openSync(path, "r");
    } catch (error) {
      process.nextTick(done, error);
      return;
    }
    fsync(fd, (error) => {
      closeSync(fd);
      done(error);
    });
  },
  syncFolderNow(path) {
    const fd = openSync(path, "r");
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  },
  list: (path) => readdirSync(path),
  remove: unlinkSync,
  rename: renameSync,
  makeFolder,
  state(path) {
    const found = statOf(path);
    if (found === undefined) return null;
    return { mode: found.mode & PERMISSION_BITS, uid: found.uid, isFolder: found.isDirectory() };
  },
  setMode: chmodSync,
};

/** With those above it. Node's own recursive mkdir never returns where a folder that exists takes none (/proc). */
function makeFolder(path: string): void {
  const above = dirname(path);
  if (above !== path) makeFolder(above);
  const found = statOf(path);
  if (found === undefined) mkdirSync(path, { mode: FOLDER_MODE });
  else if (!found.isDirectory()) throw new Error(`${path} is not a directory`);
}

/** undefined: there is nothing. What is below a file is nothing too: Node 20 throws there, later versions do not. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return undefined;
    throw error;
  }
}
