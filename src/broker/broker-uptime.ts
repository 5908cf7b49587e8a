/**
 * Tells from the broker's published uptime whether it restarted while we were away.
 *
 * A restart erases, so it must be certain: only an uptime that went back proves one. A start that seems to have moved
 * later is a suspicion (a delayed message, a suspended machine) and answered as such. It never looks at a steady connection:
 * a broker cannot restart without dropping ours.
 */

/** Slack for brokers whose uptime follows a wall clock that was set back. A restart overlooked costs no message. */
export const UPTIME_BACK_TOLERANCE_S = 5;
/** $SYS values live for 60 s in the broker, so a value may be that old; plus slack. */
export const UPTIME_SHIFT_TOLERANCE_MS = 75_000;
/** After a reconnect the fresh value comes with the SUBACK; older queued ones may come before it. */
const WATCH_MS = 120_000;

export class BrokerUptime {
  #highestS: number | null = null;
  #startMs = Number.POSITIVE_INFINITY;
  #watchUntilMs = 0;
  #suspected = false;

  reconnected(nowMs: number): void {
    this.#watchUntilMs = nowMs + WATCH_MS;
    this.#suspected = false;
  }

  /** The broker said itself that it started: until the next absence an uptime has nothing to add. */
  started(): void {
    this.#highestS = null;
    this.#startMs = Number.POSITIVE_INFINITY;
    this.#watchUntilMs = 0;
  }

  seen(uptimeS: number, nowMs: number): "same" | "restarted" | "unsure" {
    const highestS = this.#highestS;
    const startMs = nowMs - uptimeS * 1000;
    const watching = nowMs <= this.#watchUntilMs;
    if (highestS === null || (watching && uptimeS < highestS - UPTIME_BACK_TOLERANCE_S)) {
      this.#highestS = uptimeS;
      this.#startMs = startMs;
      return highestS === null ? "same" : "restarted";
    }
    this.#highestS = Math.max(highestS, uptimeS);
    if (watching && startMs > this.#startMs + UPTIME_SHIFT_TOLERANCE_MS && !this.#suspected) {
      this.#suspected = true;
      this.#startMs = startMs;
      return "unsure";
    }
    this.#startMs = Math.min(this.#startMs, startMs);
    return "same";
  }
}

/** "4711 seconds" → 4711; null when the text is something else. */
export function parseUptime(text: string): number | null {
  const match = /^(\d{1,12}) seconds?$/.exec(text);
  return match === null ? null : Number(match[1]);
}
