/**
 * Reads the configuration again, when a signal asks for it or its files change, and brings the agent to it. What cannot
 * be taken changes nothing, and is said once. One thing at a time: changes through the API come through here too.
 */
import type { ErrorCode } from "../base/error-codes.ts";
import type { ConfigSource } from "../config/config-source.ts";
import type { LoadedConfig } from "../config/load.ts";
import { formatProblem } from "../config/problem.ts";
import { clockMs } from "../ops/clock.ts";
import type { Logger } from "../ops/log.ts";
import type { Reloads } from "../ops/reloads.ts";
import type { Agent } from "./agent.ts";
import type { WatchedFiles } from "./watched-files.ts";

/** A change is noticed after two looks. */
const LOOK_MS = 1_000;
/** Of one mistake there are often many messages. */
const PROBLEMS_SAID_MAX = 20;

export type Taken =
  | { readonly ok: true; readonly changed: boolean }
  | { readonly ok: false; readonly code: ErrorCode; readonly reasons: readonly string[] };

export class ConfigReload {
  readonly source: ConfigSource;
  readonly #agent: Pick<Agent, "reconfigure">;
  readonly #log: Logger;
  readonly #reloads: Reloads;
  readonly #lookMs: number;
  readonly #files: WatchedFiles;
  #last: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  /** `files`: as they were when `source` was loaded. */
  constructor(
    source: ConfigSource,
    agent: Pick<Agent, "reconfigure">,
    log: Logger,
    reloads: Reloads,
    files: WatchedFiles,
    lookMs: number = LOOK_MS,
  ) {
    this.source = source;
    this.#agent = agent;
    this.#log = log;
    this.#reloads = reloads;
    this.#files = files;
    this.#lookMs = lookMs;
  }

  /** Looks at the files from now on. */
  start(): void {
    this.#lookSoon();
  }

  /** Resolves when what is under way is done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#last;
  }

  /** Reads everything again, whether it changed or not. */
  reload(why: "signal" | "files"): Promise<Taken> {
    return this.inTurn(async () => {
      await this.#files.know(this.source.files);
      const loaded = this.source.load();
      await this.#files.narrow(this.source.files);
      const taken = await this.take(loaded, why);
      if (taken.ok && !taken.changed) this.#log.info({ why }, "configuration read again: nothing changed");
      return taken;
    });
  }

  /** Nothing else changes the configuration while this runs. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }

  /** We wrote the file ourselves, after its text was loaded: that is no change. To be called in turn. */
  async wrote(path: string): Promise<void> {
    await this.#files.narrow(this.source.files);
    await this.#files.knowOne(path);
  }

  /** Brings the agent to what was loaded. To be called in turn. */
  async take(loaded: LoadedConfig, why: string): Promise<Taken> {
    if (!loaded.ok) {
      const reasons = loaded.problems.slice(0, PROBLEMS_SAID_MAX).map(formatProblem);
      return this.#refuse("CONFIG_INVALID", reasons, why);
    }
    const result = await this.#agent.reconfigure(loaded.config);
    if (!result.ok) return this.#refuse(result.code, [result.message], why);
    const changed = !result.diff.isEmpty;
    this.#reloads.ended(changed ? "applied" : "unchanged", clockMs());
    if (changed) {
      for (const warning of loaded.warnings) this.#log.warn({ warning }, "configuration");
      this.#log.info({ why }, "configuration taken");
    }
    return { ok: true, changed };
  }

  #refuse(code: ErrorCode, reasons: readonly string[], why: string): Taken {
    this.#reloads.ended(code === "CONFIG_INVALID" ? "invalid" : "refused", clockMs());
    this.#log.error({ code, why, problems: reasons }, "configuration not taken: the one before stays in force");
    return { ok: false, code, reasons };
  }

  #lookSoon(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => void this.#look(), this.#lookMs);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    const hasChanged = await this.inTurn(() => this.#files.haveChanged());
    if (hasChanged && !this.#stopped) await this.reload("files");
    this.#lookSoon();
  }
}
