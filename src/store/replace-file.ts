/** A file with another text, in one step: whoever reads it, at any time and after any crash, finds the old one or the new one. */
import { randomBytes } from "node:crypto";
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";

const PRIVATE = 0o600;
const PERMISSION_BITS = 0o7777;

/** Mode and, where it may, owner stay. Throws what the system says, and then nothing has changed. */
export function replaceFile(path: string, text: string): void {
  const target = realpathSync(path);
  const folder = dirname(target);
  const next = join(folder, `.${basename(target)}.${randomBytes(6).toString("hex")}`);
  const { mode, uid, gid } = statSync(target);
  const fd = openSync(next, "wx", PRIVATE);
  try {
    try {
      const bytes = Buffer.from(text, "utf8");
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
      giveTo(fd, uid, gid);
      fchmodSync(fd, mode & PERMISSION_BITS);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(next, target);
  } catch (error) {
    unlinkSync(next);
    throw error;
  }
  syncFolder(folder);
}

/** Only root may give files away; whoever may write the file then owns it. */
function giveTo(fd: number, uid: number, gid: number): void {
  try {
    fchownSync(fd, uid, gid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") throw error;
  }
}

/** The file has its text already; that the name stands for it after a power cut, some file systems do not promise. */
function syncFolder(folder: string): void {
  const fd = openSync(folder, "r");
  try {
    fsyncSync(fd);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EINVAL") throw error;
  } finally {
    closeSync(fd);
  }
}
