/** What a real EMQX 5.8.9 sent over its links: hand-picked packets by name, and a whole session in order. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repoFolder } from "../support/repo-folder.ts";

export interface CapturedPacket {
  readonly name: string;
  readonly dir: "c2s" | "s2c";
  readonly clientid: string;
  readonly step: string;
  readonly type: string;
  readonly topic?: string;
  readonly hex: string;
  readonly payload?: string;
  /** As Erlang prints it. */
  readonly term?: string;
}

export interface SessionPacket {
  /** Since the beginning. */
  readonly ms: number;
  readonly conn: number;
  readonly link: "A->B" | "B->A";
  readonly event?: object;
  readonly dir?: "c2s" | "s2c";
  readonly clientid?: string;
  readonly step?: string;
  readonly type?: string;
  readonly hex?: string;
  readonly topic?: string;
  readonly payload?: string;
}

export const PACKETS: readonly CapturedPacket[] = read("emqx-5.8.9-link-packets.json");
export const SESSION: readonly SessionPacket[] = read("emqx-5.8.9-link-session.json");

/** Every payload of both, with a name for the failure. */
export const PAYLOADS: readonly (readonly [string, Uint8Array])[] = [
  ...PACKETS.map(({ name, payload }, at) => [`packet ${at} (${name})`, payload] as const),
  ...SESSION.map(({ step, payload }, at) => [`session ${at} (${step})`, payload] as const),
].flatMap(([name, payload]) => (payload === undefined ? [] : [[name, bytesOf(payload)] as const]));

export function packet(name: string, nth = 0): CapturedPacket {
  const found = PACKETS.filter((candidate) => candidate.name === name)[nth];
  if (found === undefined) throw new Error(`no captured packet "${name}" (${nth})`);
  return found;
}

export function payload(name: string, nth = 0): Uint8Array {
  const { payload: hex } = packet(name, nth);
  if (hex === undefined) throw new Error(`"${name}" has no payload`);
  return bytesOf(hex);
}

export function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}

function read<T>(file: string): T {
  return JSON.parse(readFileSync(join(repoFolder(), "test", "captures", file), "utf8")) as T;
}
