/**
 * Where an agent's configuration comes from, so that it can be read again: what the file says now, under the environment
 * and the flags that were given at the start. Knows which files the last reading named.
 */
import { ENVIRONMENT_PREFIX } from "./environment.ts";
import { systemReason } from "./file-values.ts";
import type { FlagValues } from "./flags.ts";
import { type ConfigSources, type LoadedConfig, loadConfig } from "./load.ts";
import { quoted } from "./printable.ts";

export type ConfigOrigin = Pick<ConfigSources, "env" | "readFile" | "pathKind"> & {
  /** Of the configuration file; undefined: there is none. */
  readonly path: string | undefined;
  readonly flags: FlagValues;
};

export class ConfigSource {
  readonly path: string | undefined;
  readonly #origin: ConfigOrigin;
  /** Whether they could be read or not. */
  #files: ReadonlySet<string>;

  constructor(origin: ConfigOrigin) {
    this.#origin = origin;
    this.path = origin.path;
    this.#files = new Set(origin.path === undefined ? [] : [origin.path]);
  }

  /** The configuration file, and those it named when it was loaded last. */
  get files(): ReadonlySet<string> {
    return this.#files;
  }

  /** As it is now. `text`: what the file shall say. */
  load(text?: string): LoadedConfig {
    const { path, env, flags, readFile, pathKind } = this.#origin;
    const read = new Set<string>();
    const noting = (name: string): string => {
      read.add(name);
      return readFile(name);
    };
    const sources = { env, flags, readFile: noting, pathKind };
    if (path === undefined) return this.#noted(read, loadConfig(sources));
    let own: string;
    try {
      own = text ?? this.text();
    } catch (error) {
      const message = `cannot read ${quoted(path)}: ${systemReason(error)}`;
      return { ok: false, problems: [{ path: "", message, from: null }] };
    }
    read.add(path);
    return this.#noted(read, loadConfig({ ...sources, file: { path, text: own } }));
  }

  /** Of the file. Throws when it cannot be read. */
  text(): string {
    const { path = "", readFile } = this.#origin;
    return readFile(path);
  }

  /** The variable or flag beside the file that says something about links; null: none does. */
  get linksElsewhere(): string | null {
    const { env, flags } = this.#origin;
    if (flags.links !== undefined) return "--link";
    if (flags.topics !== undefined) return "--topics";
    const isOfLinks = (name: string): boolean => name.startsWith(`${ENVIRONMENT_PREFIX}LINKS`) && Boolean(env[name]);
    return Object.keys(env).find(isOfLinks) ?? null;
  }

  #noted(read: ReadonlySet<string>, loaded: LoadedConfig): LoadedConfig {
    // What is wrong may be that a file is missing, or that only half of the configuration could be looked at.
    this.#files = loaded.ok ? read : new Set([...this.#files, ...read]);
    return loaded;
  }
}
