/** What the Dockerfile says: tests run what it sets, instead of a copy. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repoFolder } from "./repo-folder.ts";

export function dockerfile(): string {
  return readFileSync(join(repoFolder(), "Dockerfile"), "utf8");
}

/** The options that the image gives to Node. */
export function imageNodeOptions(): string {
  const found = /NODE_OPTIONS="([^"]+)"/.exec(dockerfile())?.[1];
  if (found === undefined) throw new Error("the Dockerfile sets no NODE_OPTIONS");
  return found;
}
