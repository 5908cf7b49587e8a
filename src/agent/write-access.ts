/** Why a configuration file is not to be written by us, in words for people. Rights count as they are given, even to root. */
import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { dirname, sep } from "node:path";
import { systemReason } from "../config/file-values.ts";
import { quoted } from "../config/printable.ts";

const ANYBODY_WRITES = 0o222;

/** Null: it may be replaced. */
export function whyNotWritable(path: string): string | null {
  try {
    const target = realpathSync(path);
    // Kubernetes shows the files of a volume through a folder whose name begins so, and swaps it.
    if (target.split(sep).some((part) => part.startsWith("..")))
      return `${quoted(path)} belongs to a Kubernetes volume: change the ConfigMap or Secret`;
    if (!statSync(target).isFile()) return `${quoted(path)} is no ordinary file`;
    if (!mayWrite(target)) return `${quoted(path)} is read-only`;
    const folder = dirname(target);
    return mayWrite(folder) ? null : `the folder ${quoted(folder)} is read-only, so the file in it cannot be replaced`;
  } catch (error) {
    return `${quoted(path)} cannot be looked at: ${systemReason(error)}`;
  }
}

function mayWrite(path: string): boolean {
  if ((statSync(path).mode & ANYBODY_WRITES) === 0) return false;
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
