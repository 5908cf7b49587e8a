/** The end of one link's messages on disk. What is in the folder under other names stays, and so does the folder then. */
import { readdirSync, rmdirSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { LinkError } from "../base/error-codes.ts";
import { isSpoolFile } from "./spool-recovery.ts";
import { reasonOf } from "./store-problem.ts";

/** Throws a LinkError. */
export function removeSpool(folder: string): void {
  try {
    const names = readdirSync(folder);
    const ours = names.filter(isSpoolFile);
    for (const name of ours) unlinkSync(join(folder, name));
    if (ours.length === names.length) rmdirSync(folder);
  } catch (error) {
    throw new LinkError("DATA_DIR_UNUSABLE", `${folder}: ${reasonOf(error)}`, { cause: error });
  }
}
