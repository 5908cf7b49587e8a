/** The fields at the beginning of a spool segment. */
import { type Head, readHead, writeHead } from "./file-head.ts";

const MAGIC = "blsp";
const NUMBER_BYTES = 6;
const FIELDS_BYTES = 4 + 8 + 4 * NUMBER_BYTES;

export interface SegmentHead {
  /** Of the checksums in this file; random. */
  readonly salt: number;
  /** 16 hex digits. */
  readonly stream: string;
  /** The first number that may be in this file. */
  readonly first: number;
  /** The last number that was given before it. What lies between the two was never given to a message. */
  readonly lastBefore: number;
  readonly base: number;
  readonly ceiling: number;
}

export function writeSegmentHead(target: Buffer, head: SegmentHead): void {
  const fields = Buffer.alloc(FIELDS_BYTES);
  let at = fields.writeUInt32BE(head.salt, 0);
  at += fields.write(head.stream, at, "hex");
  for (const number of [head.first, head.lastBefore, head.base, head.ceiling]) {
    at = fields.writeUIntBE(number, at, NUMBER_BYTES);
  }
  writeHead(target, MAGIC, fields);
}

export function readSegmentHead(file: Buffer): SegmentHead | Exclude<Head, { kind: "ours" }> {
  const head = readHead(file, MAGIC);
  if (head.kind !== "ours") return head;
  if (head.fields.length !== FIELDS_BYTES) return { kind: "damaged" };
  const number = (index: number) => head.fields.readUIntBE(12 + index * NUMBER_BYTES, NUMBER_BYTES);
  return {
    salt: head.fields.readUInt32BE(0),
    stream: head.fields.toString("hex", 4, 12),
    first: number(0),
    lastBefore: number(1),
    base: number(2),
    ceiling: number(3),
  };
}
