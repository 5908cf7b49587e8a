/** The folder of this package, where its package.json is: two folders up in what is installed, three in what the tests compile. */
import { existsSync } from "node:fs";

export const PACKAGE_ROOT = rootAbove(new URL(".", import.meta.url));

function rootAbove(folder: URL): URL {
  const parent = new URL("..", folder);
  const isTop = parent.href === folder.href;
  return isTop || existsSync(new URL("package.json", folder)) ? folder : rootAbove(parent);
}
