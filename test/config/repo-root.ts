/** The folder of the repository, wherever the tests were compiled to. */
import { existsSync } from "node:fs";

export function repoRoot(): URL {
  let folder = new URL(".", import.meta.url);
  while (!existsSync(new URL("biome.json", folder))) {
    const above = new URL("..", folder);
    if (above.href === folder.href) throw new Error("no repository around the tests");
    folder = above;
  }
  return folder;
}
