/**
 * Another configuration for an agent that runs, one after the other: all of it or nothing. What can fail is done first.
 * Links that stay go on undisturbed; a link that changes keeps its spool, its stream and what is known of the peer.
 */
import { type ErrorCode, LinkError } from "../base/error-codes.ts";
import { type ConfigDiff, configDiff } from "../config/config-diff.ts";
import type { AgentConfig, LinkConfig } from "../config/types.ts";
import type { LinkDues } from "../flow/link-dues.ts";
import type { LaneLogs } from "../flow/outbound-options.ts";
import type { Hub } from "../hub/hub.ts";
import { clockMs } from "../ops/clock.ts";
import type { Logger } from "../ops/log.ts";
import type { AgentStore } from "./agent-store.ts";
import type { CurrentConfig } from "./current-config.ts";
import { hubLinkOptions } from "./link-options.ts";
import type { PeerConnections } from "./peer-connections.ts";

/** How long the goodbye of a link that goes, or whose connection is made anew, may take to leave. */
const CLOSE_MS = 2_000;

export type ReconfigureResult =
  | { readonly ok: true; readonly diff: ConfigDiff }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string };

export interface ReconfigurationParts {
  readonly config: CurrentConfig;
  readonly hub: Hub;
  readonly store: AgentStore | null;
  readonly connections: PeerConnections;
  readonly log: Logger;
  readonly requestTurn: () => void;
  /** What was remembered of a link that is gone. */
  readonly forget: (link: string) => void;
}

export class Reconfiguration {
  readonly #parts: ReconfigurationParts;
  /** Spools of links that are configured and switched off. */
  readonly #parked = new Map<string, LaneLogs>();
  /** Acknowledgements that wait for the disk, of links that are gone. */
  readonly #dues = new Map<LinkDues, string>();
  #last: Promise<unknown> = Promise.resolve();
  #ended = false;
  #givenUp = 0;

  constructor(parts: ReconfigurationParts) {
    this.#parts = parts;
  }

  /** Messages of links that were removed, and what had no room in the spool of one that was switched off. */
  get givenUp(): number {
    return this.#givenUp;
  }

  /** Messages of links that are switched off, in memory only. */
  get parkedInMemory(): number {
    let count = 0;
    for (const [name, logs] of this.#parked) if (!this.#isOnDisk(name, logs)) count += depthOf(logs);
    return count;
  }

  /** Resolves when all of it is done, connections included. */
  apply(next: AgentConfig): Promise<ReconfigureResult> {
    const done = this.#last.then(() => this.#apply(next));
    this.#last = done.catch(() => {});
    return done;
  }

  /** Changes nothing from now on; resolves when what is under way is done. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#last;
  }

  /** More of a link's log is on the disk. */
  synced(link: string): void {
    for (const [dues, name] of this.#dues) {
      if (name !== link) continue;
      dues.synced();
      if (dues.waiting === 0) this.#dues.delete(dues);
    }
  }

  async #apply(next: AgentConfig): Promise<ReconfigureResult> {
    const { config, hub, connections, log, requestTurn } = this.#parts;
    if (this.#ended) return { ok: false, code: "CONFIG_NEEDS_RESTART", message: "the agent stops" };
    const diff = configDiff(config.now, next);
    if (diff.needsRestart.length > 0) {
      const message = `only a restart can change ${diff.needsRestart.join(", ")}; nothing was changed`;
      return { ok: false, code: "CONFIG_NEEDS_RESTART", message };
    }
    const isEnabled = ({ enable }: LinkConfig): boolean => enable;
    const coming = [...diff.added, ...diff.changed.filter(({ before }) => !before.enable).map(({ after }) => after)];
    const come = coming.filter(isEnabled);
    const switchedOff = diff.changed.filter(({ before, after }) => before.enable && !after.enable);
    const stay = diff.changed.filter(({ before, after }) => before.enable && after.enable);
    const logs = this.#openLogs(come);
    if ("code" in logs) return logs;

    const nowMs = clockMs();
    config.change(next);
    log.level = next.logLevel;
    const closed: Promise<void>[] = [];
    for (const { name } of diff.removed.filter(isEnabled)) closed.push(this.#part(name, false, nowMs));
    for (const { before } of switchedOff) closed.push(this.#part(before.name, true, nowMs));
    const replaced: LinkConfig[] = [];
    for (const { after, connection } of stay) {
      hub.changes.change(hubLinkOptions(after, next, undefined), nowMs);
      if (connection === "renew" && after.endpoint !== null) connections.renew(after.name, after.endpoint);
      if (connection !== "replace") continue;
      hub.linkDown(after.name, "its configuration changed", nowMs);
      closed.push(connections.remove(after.name, CLOSE_MS));
      replaced.push(after);
    }
    if (diff.keys.some((key) => key.startsWith("spool.")))
      for (const link of next.links) if (link.enable) hub.changes.change(hubLinkOptions(link, next, undefined), nowMs);
    hub.changes.disable(next.links.filter((link) => !link.enable).map(({ name }) => name));
    for (const link of come) {
      const parked = this.#parked.get(link.name);
      this.#parked.delete(link.name);
      const kept = link.durability === "disk" ? logs.get(link.name) : parked;
      hub.changes.add(hubLinkOptions(link, next, kept), nowMs);
    }
    this.#say(diff);
    requestTurn();
    // A client id may go from one connection to the next: never two at a time.
    await Promise.all(closed);
    for (const link of [...replaced, ...come]) {
      connections.add(link);
      connections.start(link.name);
    }
    for (const { name } of diff.removed) await this.#giveUp(name);
    return { ok: true, diff };
  }

  #openLogs(links: readonly LinkConfig[]): Map<string, LaneLogs> | Extract<ReconfigureResult, { ok: false }> {
    const logs = new Map<string, LaneLogs>();
    try {
      for (const { name, durability } of links) {
        const opened = durability === "disk" ? this.#parts.store?.open(name) : undefined;
        if (opened !== undefined) logs.set(name, opened);
      }
    } catch (error) {
      if (error instanceof LinkError) return { ok: false, code: error.code, message: error.message };
      throw error;
    }
    return logs;
  }

  /** Takes leave; `isKept`: what is in the spool waits until the link is switched on again. */
  #part(name: string, isKept: boolean, nowMs: number): Promise<void> {
    const { hub, connections, log } = this.#parts;
    const parted = hub.changes.remove(name, nowMs);
    if (parted === null) return Promise.resolve();
    const { lanes, intake } = parted.outbound;
    const waited = intake.giveUp();
    this.#givenUp += waited;
    if (waited > 0) log.warn({ link: name, messages: waited }, "link gone: messages that waited for room are given up");
    const { logs } = lanes;
    const isOnDisk = this.#isOnDisk(name, logs);
    for (const { dues } of lanes.both) {
      if (isKept && isOnDisk && dues.waiting > 0) this.#dues.set(dues, name);
      else dues.release();
    }
    // Also for one that is removed: until its goodbye has left, and it is given up.
    this.#parked.set(name, logs);
    return connections.remove(name, CLOSE_MS);
  }

  #isOnDisk(name: string, { main }: LaneLogs): boolean {
    return this.#parts.store?.logs(name)?.main === main;
  }

  /** The link is gone, its peer was told: now its messages go. */
  async #giveUp(name: string): Promise<void> {
    const { hub, store, log, forget } = this.#parts;
    const parked = this.#parked.get(name);
    this.#parked.delete(name);
    for (const [dues, owner] of this.#dues) {
      if (owner !== name) continue;
      dues.release();
      this.#dues.delete(dues);
    }
    hub.changes.forget(name);
    forget(name);
    let messages = parked === undefined ? 0 : depthOf(parked);
    try {
      messages = Math.max(messages, (await store?.remove(name)) ?? 0);
    } catch (error) {
      if (!(error instanceof LinkError)) throw error;
      log.warn(
        { link: name, code: error.code, why: error.message },
        "the spool of a removed link could not be deleted",
      );
    }
    this.#givenUp += messages;
    if (messages > 0)
      log.warn({ link: name, messages }, "link removed: messages that its peer had not confirmed are given up");
  }

  #say({ keys, added, removed, changed }: ConfigDiff): void {
    const { log } = this.#parts;
    for (const key of keys) log.info({ key }, "configuration changed");
    for (const { name, enable } of added) log.info({ link: name, enable }, "link added");
    for (const { name } of removed) log.info({ link: name }, "link removed");
    for (const { after, keys: linkKeys, connection } of changed)
      log.info({ link: after.name, keys: linkKeys, connection }, "link changed");
  }
}

function depthOf({ main, live }: LaneLogs): number {
  return main.lastNumber + 1 - main.base + live.lastNumber + 1 - live.base;
}
