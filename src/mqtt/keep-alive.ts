/**
 * Helps the client library to keep a connection alive. It takes one for dead when its PINGRESP is late, and that may stand
 * behind megabytes of messages which it does not see. So now and then it is told that something came; its PINGREQ, which
 * that puts off, is due all the same where we have written nothing for long.
 */
import type { MqttClient } from "mqtt";

/**
 * Of the keep-alive time. A broker waits for one and a half of it (MQTT-3.1.2-22): after a last write that is a quarter old the
 * library's next PINGREQ is one whole time away, at the most.
 */
const TELL_EVERY = 0.5;
const PING_WHEN_QUIET_FOR = 0.25;

export class KeepAlive {
  readonly #client: Pick<MqttClient, "sendPing" | "reschedulePing">;
  readonly #timeMs: number;
  #toldAtMs = performance.now();

  /** `seconds`: as the broker has accepted it; 0: none. */
  constructor(client: Pick<MqttClient, "sendPing" | "reschedulePing">, seconds: number) {
    this.#client = client;
    this.#timeMs = seconds * 1_000;
  }

  /** Bytes arrived. */
  heard(wroteAtMs: number): void {
    if (this.#timeMs === 0) return;
    const nowMs = performance.now();
    if (nowMs - this.#toldAtMs < this.#timeMs * TELL_EVERY) return;
    this.#toldAtMs = nowMs;
    if (nowMs - wroteAtMs > this.#timeMs * PING_WHEN_QUIET_FOR) this.#client.sendPing();
    this.#client.reschedulePing(true);
  }
}
