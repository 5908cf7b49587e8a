/**
 * What happens, as log lines: constant text, data in fields, from, to and why; the level by what an operator should do.
 * One line per change; what repeats is counted and said seldom; what is normal at a start is no warning.
 *
 *   info   changes that are as they should be, and steps on the way
 *   warn   something does not work now, or messages may be lost
 *   error  an operator has to change something, or messages circle
 *   debug  every step of the conversation, every repeat, event lines that could not be used
 */
import type { ErrorCode } from "../base/error-codes.ts";
import type { HubEvent, LinkStatusWord } from "../hub/hub-event.ts";
import type { SessionProblem } from "../mqtt/session.ts";
import type { ProblemCount } from "../ops/agent-status.ts";
import type { ApiProblem } from "../ops/broker-api-status.ts";
import type { Logger } from "../ops/log.ts";
import { LogBudget } from "../ops/log-budget.ts";
import { wideText } from "../ops/wide-text.ts";
import type { StoreProblem } from "../store/store-problem.ts";

/** The same trouble of the same link: said again when it still lasts after this. */
const REPEAT_MS = 600_000;
/** Lines of one kind that differ in a filter, a topic or a state: enough to see what it is about. */
const BURST_LINES = 20;
const BURST_MS = 60_000;

/** Steps on the way to another state, unless one gets stuck there: the status of the link says so then. */
const PASSING_STATES: ReadonlySet<string> = new Set(["greeting", "bootstrapping", "greeted", "idle"]);

/** A step down is a warning. */
const STATUS_RANK: Readonly<Record<LinkStatusWord, number>> = {
  connected: 3,
  connecting: 2,
  inconsistent: 1,
  disconnected: 0,
};

type Level = "debug" | "info" | "warn" | "error";
type Fields = Readonly<Record<string, unknown>>;

export class Report {
  readonly #log: Logger;
  readonly #nowMs: () => number;
  readonly #repeats = new LogBudget(1, REPEAT_MS);
  readonly #bursts = new LogBudget(BURST_LINES, BURST_MS);
  readonly #counts = new Map<string, { readonly link: string | null; readonly code: ErrorCode; count: number }>();
  readonly #statusOf = new Map<string, LinkStatusWord>();
  /** Links whose peer said that it would be back. */
  readonly #paused = new Set<string>();
  /** How often a link came up: a problem that comes back after that is news. */
  readonly #livesOf = new Map<string, number>();
  readonly #sessionCodes = new Map<string, ErrorCode | "up">();
  #brokerDropped: number | null = null;

  constructor(log: Logger, nowMs: () => number) {
    this.#log = log;
    this.#nowMs = nowMs;
  }

  /** The link is gone: what was counted of it goes with it. */
  forget(link: string): void {
    this.#statusOf.delete(link);
    this.#paused.delete(link);
    this.#livesOf.delete(link);
    for (const [key, count] of this.#counts) if (count.link === link) this.#counts.delete(key);
  }

  /** Sorted by link and code; of the whole agent first. */
  problems(): ProblemCount[] {
    return [...this.#counts.keys()].sort().flatMap((key) => this.#counts.get(key) ?? []);
  }

  hub(event: HubEvent): void {
    switch (event.type) {
      case "link_status":
        this.#linkStatus(event);
        break;
      case "link_state": {
        const { link, half, from, to, why } = event;
        if (half === "in" && to === "paused") this.#paused.add(link);
        else if (half === "in") this.#paused.delete(link);
        const level = PASSING_STATES.has(to) ? "debug" : "info";
        // A refused greeting is repeated for ever: the same end is said once in a while.
        this.#once(`${link} ${half} ${to} ${why}`, link, level, { link, half, from, to, why }, "link state");
        break;
      }
      case "interest":
        this.#interest(event);
        break;
      case "problem":
        this.#problem(event);
        break;
      case "routes_expired": {
        const { link, count } = event;
        this.#count(link, "ROUTES_EXPIRED");
        const fields = { link, code: "ROUTES_EXPIRED", routes: count };
        this.#log.warn(fields, "routes of a silent peer dropped: what it wants is no longer kept for it");
        break;
      }
      case "route_refused":
        this.#refused(
          "ROUTE_REFUSED",
          event,
          "route refused by the peer's broker",
          "route served by the peer's broker again",
        );
        break;
      case "demand_refused":
        this.#refused(
          "DEMAND_REFUSED",
          event,
          "subscription refused by the local broker",
          "subscription taken by the local broker again",
        );
        break;
      case "message_refused": {
        const { link, topic, number } = event;
        const fields = { link, code: "MESSAGE_REFUSED", topic, number };
        this.#burst(`poison ${link}`, "error", fields, "a message that never reached the peer was dropped");
        break;
      }
      case "foreign_loop": {
        const { link, topic } = event;
        this.#burst(
          `loop ${link}`,
          "error",
          { link, code: "FOREIGN_LOOP", topic },
          "another bridge carries this topic in a circle",
        );
        break;
      }
    }
  }

  /** The disk takes nothing (any more); null: it does again. */
  disk(problem: StoreProblem | null): void {
    if (problem === null) {
      this.#log.info("the disk takes everything again");
      return;
    }
    const { code, message } = problem;
    this.#count(null, code);
    this.#burst(`disk ${code}`, "error", { code, why: message }, "the disk does not take what has to be kept");
  }

  /** A session on the local broker came up, went down, or failed to come up again for another reason. */
  session(session: string, isUp: boolean, problem: SessionProblem | null): void {
    const before = this.#sessionCodes.get(session);
    const code = problem?.code ?? null;
    if (isUp) {
      this.#sessionCodes.set(session, "up");
      if (before !== "up") this.#burst(`session ${session}`, "info", { session }, "local session up");
      return;
    }
    if (code === null) return;
    this.#count(null, code);
    this.#sessionCodes.set(session, code);
    const fields = { session, code, why: problem?.reason };
    if (before === code) this.#log.debug(fields, "local session still down");
    else this.#burst(`session ${session}`, "warn", fields, "local session down");
  }

  /** The local broker announces nothing: what to change in it, in lines of text. */
  advice(advice: string): void {
    this.#count(null, "EVENTS_DISABLED");
    this.#log.warn({ code: "EVENTS_DISABLED", advice }, "the local broker does not announce subscriptions");
  }

  /** The local broker's API does not do what it should (any more); null: it does again. */
  brokerApi(problem: ApiProblem | null): void {
    if (problem === null) {
      this.#burst("broker api", "info", {}, "the local broker's API works again");
      return;
    }
    const { code, why } = problem;
    this.#count(null, code);
    const text = "the local broker's API gives no list of subscriptions: its events alone are what is known";
    this.#once(`api ${code} ${why}`, "", "warn", { code, why }, text);
  }

  controlDenied(topic: string, why: string): void {
    this.#count(null, "CONTROL_DENIED");
    this.#once(
      `denied ${topic} ${why}`,
      "",
      "error",
      { code: "CONTROL_DENIED", topic, why },
      "the local broker denies control topics",
    );
  }

  controlWorks(): void {
    this.#burst("denied", "info", {}, "the local broker lets control topics through again");
  }

  /** The line holds client ids and filters: for who looks for them, not for everybody's log. */
  oddLine(kind: string, line: string): void {
    this.#log.debug({ kind, line }, "odd event line");
    const suppressed = this.#repeats.take(`odd ${kind}`, this.#nowMs());
    if (suppressed === null) return;
    this.#log.info({ kind, ...since(suppressed) }, "an event line could not be used, or only in part");
  }

  /**
   * `total`: what the broker counts since its start; some of it may be ours, some that of slow clients. `live`: it says so
   * because it rose, by all of it if it was never said before.
   */
  brokerDropped(total: number, live: boolean): void {
    const before = this.#brokerDropped ?? (live ? 0 : total);
    this.#brokerDropped = total;
    if (total <= before) return;
    this.#count(null, "LOCAL_QUEUE_OVERFLOW");
    const fields = { code: "LOCAL_QUEUE_OVERFLOW", dropped: total - before, total };
    this.#burst("broker dropped", "warn", fields, "the local broker dropped messages for its clients");
  }

  #linkStatus({ link, from, to, why }: Extract<HubEvent, { type: "link_status" }>): void {
    this.#statusOf.set(link, to);
    if (to === "connected") this.#livesOf.set(link, (this.#livesOf.get(link) ?? 0) + 1);
    const level = STATUS_RANK[to] < STATUS_RANK[from] && !this.#isComing(link) ? "warn" : "info";
    this.#burst(`status ${link}`, level, { link, from, to, why }, "link status");
  }

  #interest({ from, to }: Extract<HubEvent, { type: "interest" }>): void {
    if (to === "exact") {
      this.#burst("interest", "info", { from, to, why: "every subscription is known" }, "interest");
      return;
    }
    const { code, why } = wideText(to);
    if (code !== null) this.#count(null, code);
    const level = from === "exact" && code !== null ? "warn" : "info";
    this.#burst("interest", level, { from, to, ...(code === null ? {} : { code }), why }, "interest");
  }

  #problem({ link, code, reason }: Extract<HubEvent, { type: "problem" }>): void {
    const fields = { ...(link === null ? {} : { link }), code, why: reason };
    // Of two agents that start together one is first, and waits. Only when the link's patience ends it is a warning.
    if (code === "PEER_SILENT" && link !== null && this.#isComing(link)) {
      this.#once(`waiting ${link}`, link, "info", fields, "waiting for the peer's agent");
      return;
    }
    this.#count(link, code);
    // A loop has an event of its own, which names the topic.
    if (code !== "FOREIGN_LOOP") this.#once(`${link} ${code} ${reason}`, link ?? "", "warn", fields, "problem");
  }

  /** The link is on its way up, or its peer restarts. */
  #isComing(link: string): boolean {
    return (this.#statusOf.get(link) ?? "connecting") === "connecting" || this.#paused.has(link);
  }

  #refused(
    code: "ROUTE_REFUSED" | "DEMAND_REFUSED",
    { link, filter, reasonCode, refused }: Extract<HubEvent, { type: "route_refused" | "demand_refused" }>,
    refusedText: string,
    mendedText: string,
  ): void {
    if (!refused) {
      this.#burst(`mended ${code} ${link}`, "info", { link, filter }, mendedText);
      return;
    }
    this.#count(link, code);
    this.#burst(`${code} ${link}`, "warn", { link, code, filter, reasonCode }, refusedText);
  }

  /** Said once, again when it lasts, and anew when the link was up in between. */
  #once(key: string, link: string, level: Level, fields: Fields, text: string): void {
    const suppressed = this.#repeats.take(`${this.#livesOf.get(link) ?? 0} ${key}`, this.#nowMs());
    if (suppressed === null) this.#log.debug(fields, text);
    else this.#log[level]({ ...fields, ...since(suppressed) }, text);
  }

  #burst(key: string, level: Level, fields: Fields, text: string): void {
    const suppressed = this.#bursts.take(key, this.#nowMs());
    if (suppressed === null) this.#log.debug(fields, text);
    else this.#log[level]({ ...fields, ...since(suppressed) }, text);
  }

  #count(link: string | null, code: ErrorCode): void {
    const key = `${link ?? ""} ${code}`;
    const count = this.#counts.get(key);
    if (count === undefined) this.#counts.set(key, { link, code, count: 1 });
    else count.count += 1;
  }
}

/** How many like this were only said at debug since the last line. */
function since(suppressed: number): { readonly suppressed?: number } {
  return suppressed === 0 ? {} : { suppressed };
}
