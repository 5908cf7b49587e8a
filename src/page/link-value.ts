/** A link between the API's answer, the form and the API's request. */
import type { LinkAnswer } from "./overview.ts";

/** What the form can change; everything else of a link is left as it is. */
export interface LinkFields {
  readonly name: string;
  readonly server: string;
  readonly topics: string;
  readonly username: string;
  readonly password: string;
  readonly enable: boolean;
}

export type LinkValue = Readonly<Record<string, unknown>>;

/** What an answer says of how the link is, not of what it shall be. */
const READ_ONLY: ReadonlySet<string> = new Set(["status", "node_status", "brokerlink"]);

export function writableLink(link: LinkAnswer): LinkValue {
  return Object.fromEntries(Object.entries(link).filter(([key]) => !READ_ONLY.has(key)));
}

export function fieldsOf(link: LinkAnswer | null): LinkFields {
  return {
    name: link?.name ?? "",
    server: link?.server ?? "",
    topics: (link?.topics ?? ["#"]).join("\n"),
    username: link?.username ?? "",
    password: link?.password ?? "",
    enable: link?.enable ?? true,
  };
}

/** `link`: as it was before; null: a new one. An empty field means that the key is not there. */
export function linkValue(fields: LinkFields, link: LinkAnswer | null): LinkValue {
  const value: Record<string, unknown> = link === null ? {} : { ...writableLink(link) };
  value["name"] = fields.name.trim();
  value["enable"] = fields.enable;
  value["topics"] = fields.topics
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  for (const key of ["server", "username", "password"] as const) {
    const text = key === "password" ? fields[key] : fields[key].trim();
    if (text === "") delete value[key];
    else value[key] = text;
  }
  return value;
}
