/** A session with its events written down, in order, and short times. */

import type { PublishPacket, PublishResult } from "../../src/mqtt/publish.ts";
import type { SessionUp } from "../../src/mqtt/session.ts";
import { type MessageAbout, MqttSession, type SessionOptions, type SessionProblem } from "../../src/mqtt/session.ts";
import type { SubscribeEntry } from "../../src/mqtt/subscribe.ts";
import { until } from "../support/until.ts";

export interface Received {
  readonly topic: string;
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly about: MessageAbout;
}

export type RigOptions = Partial<Omit<SessionOptions, "endpoint">> & {
  readonly urls: readonly string[];
  readonly endpoint?: Partial<SessionOptions["endpoint"]>;
};

let count = 0;

export class SessionRig {
  readonly session: MqttSession;
  readonly ups: SessionUp[] = [];
  readonly problems: SessionProblem[] = [];
  readonly messages: Received[] = [];
  readonly order: string[] = [];
  onMessage: (received: Received) => void = () => {};
  onDown: (problem: SessionProblem) => void = () => {};

  constructor(options: RigOptions) {
    const { urls, endpoint, ...more } = options;
    count += 1;
    this.session = new MqttSession(
      {
        endpoint: { urls, username: null, password: null, tls: null, protocolVersion: null, ...endpoint },
        side: "local",
        clientId: `rig-${process.pid}-${count}`,
        session: { cleanStart: "always", expirySeconds: 0 },
        will: () => null,
        keepAliveSeconds: 20,
        bridge: true,
        ackByPing: true,
        random: () => 0,
        connectTimeoutMs: 2_000,
        ackTimeoutMs: 5_000,
        reconnect: { baseMs: 20, capMs: 400, settledMs: 5_000 },
        ...more,
      },
      {
        connected: (how) => {
          this.ups.push(how);
          this.order.push("connected");
        },
        disconnected: (problem) => {
          this.problems.push(problem);
          this.order.push(`disconnected ${problem.code}`);
          this.onDown(problem);
        },
        message: (topic, payload, about) => {
          const received = { topic, text: Buffer.from(payload).toString(), bytes: payload.slice(), about };
          this.messages.push(received);
          this.order.push(`message ${received.text}`);
          this.onMessage(received);
        },
      },
    );
  }

  static async up(options: RigOptions): Promise<SessionRig> {
    const rig = new SessionRig(options);
    rig.session.start();
    await rig.connected();
    return rig;
  }

  get texts(): string[] {
    return this.messages.map(({ text }) => text);
  }

  async connected(times = 1): Promise<SessionUp> {
    await until(`connected ${times} times`, () => this.ups.length >= times || JSON.stringify(this.problems));
    const how = this.ups.at(-1);
    if (how === undefined) throw new Error("not connected");
    return how;
  }

  async failed(times = 1): Promise<SessionProblem> {
    await until(`${times} problems`, () => this.problems.length >= times || `${this.problems.length}`);
    const problem = this.problems[times - 1];
    if (problem === undefined) throw new Error("no problem");
    return problem;
  }

  async got(...texts: string[]): Promise<void> {
    await until(
      `messages ${texts.join(", ")}`,
      () => texts.every((text) => this.texts.includes(text)) || this.texts.join(),
    );
  }

  subscribe(...entries: (string | SubscribeEntry)[]): Promise<readonly number[] | null> {
    const full = entries.map((entry) => (typeof entry === "string" ? { filter: entry, qos: 1 as const } : entry));
    return new Promise((resolve) => this.session.subscribe(full, resolve));
  }

  unsubscribe(...filters: string[]): Promise<readonly number[] | null> {
    return new Promise((resolve) => this.session.unsubscribe(filters, resolve));
  }

  publish(topic: string, text: string, more: Partial<PublishPacket> = {}): Promise<PublishResult> {
    const packet = { topic, payload: Buffer.from(text), qos: 1 as const, retain: false, ...more };
    return new Promise((resolve) => this.session.publish(packet, resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.session.stop(0);
  }
}
