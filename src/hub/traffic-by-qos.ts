/** Messages of one direction and the bytes of their payloads, by QoS. */
import type { FramedMessage } from "../wire/message.ts";
import type { TrafficStatus } from "./status.ts";

export class TrafficByQos {
  readonly #messages: [number, number] = [0, 0];
  readonly #payloadBytes: [number, number] = [0, 0];

  get value(): TrafficStatus {
    return { messages: [...this.#messages], payloadBytes: [...this.#payloadBytes] };
  }

  add(framed: readonly FramedMessage[]): void {
    for (const { message } of framed) {
      this.#messages[message.qos] += 1;
      this.#payloadBytes[message.qos] += message.payload.length;
    }
  }
}
