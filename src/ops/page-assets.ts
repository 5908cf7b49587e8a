/**
 * The files of the page, as the build left them in dist/page, read once and kept: a few, small, and the same for everybody.
 * Nothing is looked up on the disk by a name that came over the network.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { extname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { PACKAGE_ROOT } from "./package-root.ts";

export interface Asset {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
};
const IMPORT_MAP = /<script type="importmap">([\s\S]*?)<\/script>/;
/** Wherever this file was compiled to: the tests' own build has no page. */
const FOLDER = fileURLToPath(new URL("dist/page/", PACKAGE_ROOT));

export class PageAssets {
  readonly #files: ReadonlyMap<string, Asset>;

  /** `folder`: where the built page is. Throws when there is no index.html in it. */
  constructor(folder = FOLDER) {
    const index = readFileSync(join(folder, "index.html"), "utf8");
    const files = new Map<string, Asset>([["/", asset(".html", index, { "Content-Security-Policy": policy(index) })]]);
    for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
      const ending = extname(name);
      if (ending !== ".css" && ending !== ".js") continue;
      const path = relative(folder, join(folder, name)).split(sep).join("/");
      files.set(`/page/${path}`, asset(ending, readFileSync(join(folder, name), "utf8"), {}));
    }
    this.#files = files;
  }

  /** `path`: of the request, exactly. */
  get(path: string): Asset | null {
    return this.#files.get(path) ?? null;
  }
}

function asset(ending: string, body: string, headers: Readonly<Record<string, string>>): Asset {
  return { body, headers: { "Content-Type": TYPES[ending] ?? "application/octet-stream", ...headers } };
}

/** Only what this agent serves, and of inline scripts only the import map, by its hash. Nobody may put the page into a frame. */
function policy(index: string): string {
  const map = IMPORT_MAP.exec(index)?.[1] ?? "";
  const hash = createHash("sha256").update(map).digest("base64");
  return [
    "default-src 'none'",
    `script-src 'self' 'sha256-${hash}'`,
    "style-src 'self'",
    "img-src data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}
