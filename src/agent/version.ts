/** The version of this agent, as package.json has it: told to peers, in the log and in the metrics. */
import { existsSync, readFileSync } from "node:fs";

const manifest: unknown = JSON.parse(readFileSync(manifestAbove(new URL(".", import.meta.url)), "utf8"));

export const AGENT_VERSION =
  typeof manifest === "object" && manifest !== null && "version" in manifest ? String(manifest.version) : "unknown";

/** Two folders up in what is installed, three in what the tests compile. */
function manifestAbove(folder: URL): URL {
  const file = new URL("package.json", folder);
  const parent = new URL("..", folder);
  return existsSync(file) || parent.href === folder.href ? file : manifestAbove(parent);
}
