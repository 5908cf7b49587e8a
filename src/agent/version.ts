/** The version of this agent, as package.json has it: told to peers, in the log and in the metrics. */
import { readFileSync } from "node:fs";
import { PACKAGE_ROOT } from "../ops/package-root.ts";

const manifest: unknown = JSON.parse(readFileSync(new URL("package.json", PACKAGE_ROOT), "utf8"));

export const AGENT_VERSION =
  typeof manifest === "object" && manifest !== null && "version" in manifest ? String(manifest.version) : "unknown";
