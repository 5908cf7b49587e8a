/** Messages, and both ends of a stream with what they drop written down. */
import { Inbound } from "../../src/flow/inbound.ts";
import { Outbound } from "../../src/flow/outbound.ts";
import type { OutgoingFrame } from "../../src/flow/outgoing-frame.ts";
import { matches } from "../../src/topic/algebra.ts";
import type { Frame, Message } from "../../src/wire/message.ts";

export const STREAM = "00000000000000ff";
/** Of what passes a backlog. */
export const LIVE_STREAM = "00000000000000fe";
export const SPEAKER = { incarnation: 1, instance: "00000000000000aa" };

export function message(topic: string, text: string, qos: 0 | 1 = 1, expiryMs: number | null = null): Message {
  return { topic, payload: new TextEncoder().encode(text), qos, retain: false, properties: null, expiryMs };
}

export function outbound(
  bytesMax = 1_000_000,
  whenFull: "drop_oldest" | "drop_newest" = "drop_oldest",
  framesInflightMax = 4,
  ageMaxMs = 60_000,
  drainPerSecond: number | null = null,
) {
  const drops: string[] = [];
  const out = new Outbound(
    streams(),
    { spool: { bytesMax, ageMaxMs, whenFull }, framesInflightMax, retryIntervalMs: 15_000, drainPerSecond },
    (reason, count) => drops.push(`${reason} ${count}`),
  );
  return { out, drops };
}

/** Names the streams of a link in memory, the main one first. */
export function streams(): () => string {
  const names = [STREAM, LIVE_STREAM];
  return () => names.shift() ?? "";
}

export const numbers = (frames: readonly OutgoingFrame[]) =>
  frames.map((frame) => frame.messages.map(({ number }) => number));

export function inbound(topics: readonly string[] = ["#"], drainPerSecond: number | null = null) {
  const drops: string[] = [];
  let token = 0;
  let timeouts = 0;
  const checks = {
    wants: (topic: string) => topics.some((filter) => matches(filter, topic)),
    isControl: (topic: string) => topic.startsWith("_link/"),
  };
  const into = new Inbound(
    checks,
    () => {
      token += 1;
      return token;
    },
    (reason, count) => drops.push(`${reason} ${count}`),
    () => {
      timeouts += 1;
    },
    drainPerSecond,
  );
  into.localUp();
  return { into, drops, timeouts: () => timeouts };
}

export function frame(first: number, texts: readonly string[], { routeOp = 0, base = 1, topic = "t" } = {}): Frame {
  return {
    speaker: SPEAKER,
    routeOp,
    stream: STREAM,
    base,
    messages: texts.map((text, at) => ({ number: first + at, message: message(topic, text), origin: null })),
  };
}

/** All frames that may leave now. */
export function framesOf(out: Outbound, nowMs: number): OutgoingFrame[] {
  const frames: OutgoingFrame[] = [];
  for (let frame = out.nextFrame(nowMs); frame !== null; frame = out.nextFrame(nowMs)) frames.push(frame);
  return frames;
}
