/**
 * The configuration in command line flags. Their shape is checked where they are parsed (bad usage); what they say is
 * checked like everything else (bad configuration). No flag takes a secret.
 */
import type { Setting } from "./environment.ts";
import { splitHostPort } from "./server-format.ts";
import { textValue } from "./text-value.ts";

export interface LinkFlag {
  readonly name: string;
  /** Null: the peer dials in. */
  readonly server: string | null;
}

export interface TopicsFlag {
  readonly name: string;
  readonly filters: readonly string[];
}

export interface FlagValues {
  readonly cluster?: string | undefined;
  readonly local?: string | undefined;
  readonly broker?: string | undefined;
  readonly links?: readonly LinkFlag[] | undefined;
  readonly topics?: readonly TopicsFlag[] | undefined;
  readonly http?: { readonly host: string; readonly port: number } | undefined;
  readonly dataDir?: string | undefined;
  readonly logLevel?: string | undefined;
}

/** `NAME` or `NAME=URL`, several URLs with commas; null: it is neither, such as a URL without a name. */
export function parseLinkFlag(text: string): LinkFlag | null {
  const [name, server] = splitAtEquals(text);
  return name === "" || server === "" || /[/@]/.test(name) ? null : { name, server };
}

/** `NAME=F1,F2`; nothing behind the sign: no topics. Null: there is no sign, or no name. */
export function parseTopicsFlag(text: string): TopicsFlag | null {
  const [name, filters] = splitAtEquals(text);
  if (name === "" || filters === null) return null;
  return { name, filters: filters === "" ? [] : filters.split(",").map((filter) => filter.trim()) };
}

/** `HOST:PORT`, `[ADDRESS]:PORT`; null: it is not that. */
export function parseHttpFlag(text: string): { readonly host: string; readonly port: number } | null {
  return splitHostPort(text);
}

/** The flags with one place each; those of links have none before all sources are merged. */
export function flagSettings(flags: FlagValues): Setting[] {
  const settings: Setting[] = [];
  const say = (label: string, path: readonly string[], value: unknown): void => {
    if (value !== undefined) settings.push({ path, value, label });
  };
  say("--cluster", ["cluster"], flags.cluster);
  say("--local", ["local", "server"], flags.local === undefined ? undefined : serverValue(flags.local));
  say("--broker", ["local", "broker"], flags.broker);
  say("--http", ["http", "host"], flags.http?.host);
  say("--http", ["http", "port"], flags.http?.port);
  say("--data-dir", ["data_dir"], flags.dataDir);
  say("--log-level", ["log", "level"], flags.logLevel);
  return settings;
}

/** One URL or several. */
export function serverValue(server: string): unknown {
  return textValue(server, "one_or_list");
}

function splitAtEquals(text: string): [string, string | null] {
  const at = text.indexOf("=");
  return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + 1)];
}
