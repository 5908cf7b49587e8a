/**
 * One file of the journal: its bytes, and nothing of when it is written. A record is a key with its value, or a key alone
 * that is no more.
 *
 *   put 1 | length of the key (2) | key | value           delete 2 | length of the key (2) | key
 */
import { randomBytes } from "node:crypto";
import { assert } from "../base/assert.ts";
import { HEAD_BYTES, type Head, readHead, writeHead } from "./file-head.ts";
import type { FileSystem } from "./file-system.ts";
import { RECORD_HEAD_BYTES, type RecordScan, scanRecords, sealRecord } from "./record.ts";

const MAGIC = "bljn";
const PUT = 1;
const DELETE = 2;
const KEY_AT = 3;
const KEY_BYTES_MAX = 0xffff;

/** Keys with their values, or null for a key that is no more; they are gone through more than once. */
export type JournalEntries = ReadonlyMap<string, Uint8Array | null> | readonly (readonly [string, Uint8Array | null])[];

export interface JournalContent {
  readonly values: Map<string, Uint8Array>;
  readonly salt: number;
  /** Up to here each record follows the one before. */
  readonly end: number;
  readonly scan: RecordScan;
}

/** Reads up to the first damage: what is behind may rest on what was lost. Values are views of `file`. */
export function readJournal(file: Buffer): JournalContent | Exclude<Head, { kind: "ours" }> {
  const head = readHead(file, MAGIC);
  if (head.kind !== "ours") return head;
  if (head.fields.length !== 4) return { kind: "damaged" };
  const salt = head.fields.readUInt32BE(0);
  const values = new Map<string, Uint8Array>();
  let end = HEAD_BYTES;
  const plausible = (at: number, bodyBytes: number) => {
    const keyBytes = file.readUInt16BE(at + 1);
    return file[at] === PUT ? KEY_AT + keyBytes <= bodyBytes : file[at] === DELETE && KEY_AT + keyBytes === bodyBytes;
  };
  const scan = scanRecords(file, HEAD_BYTES, { salt, bodyBytesMin: KEY_AT, plausible }, (bodyAt, bodyBytes, at) => {
    if (at !== end) return;
    end = bodyAt + bodyBytes;
    const valueAt = bodyAt + KEY_AT + file.readUInt16BE(bodyAt + 1);
    const key = file.toString("utf8", bodyAt + KEY_AT, valueAt);
    if (file[bodyAt] === PUT) values.set(key, file.subarray(valueAt, end));
    else values.delete(key);
  });
  return { values, salt, end, scan };
}

export class JournalFile {
  readonly path: string;
  readonly fd: number;
  readonly #fs: FileSystem;
  readonly #salt: number;
  #bytes: number;
  #syncsUnderWay = 0;
  #closing = false;

  private constructor(fs: FileSystem, path: string, fd: number, salt: number, bytes: number) {
    this.#fs = fs;
    this.path = path;
    this.fd = fd;
    this.#salt = salt;
    this.#bytes = bytes;
  }

  /** Throws what the disk says; nothing is left behind then. */
  static create(fs: FileSystem, path: string): JournalFile {
    const salt = randomBytes(4);
    const head = Buffer.alloc(HEAD_BYTES);
    writeHead(head, MAGIC, salt);
    const file = new JournalFile(fs, path, fs.create(path), salt.readUInt32BE(), 0);
    try {
      file.#write(head);
      return file;
    } catch (error) {
      file.remove();
      throw error;
    }
  }

  /** Goes on behind what was read; cuts off what is none. Throws what the disk says. */
  static goOn(fs: FileSystem, path: string, content: JournalContent): JournalFile {
    const fd = fs.openForWriting(path);
    fs.truncate(fd, content.end);
    return new JournalFile(fs, path, fd, content.salt, content.end);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** One write for all of them. Throws what the disk says; what was taken in part is taken back. */
  append(entries: JournalEntries): void {
    let bytes = 0;
    for (const [key, value] of entries)
      bytes += RECORD_HEAD_BYTES + KEY_AT + Buffer.byteLength(key) + (value?.length ?? 0);
    const records = Buffer.allocUnsafe(bytes);
    let at = 0;
    for (const [key, value] of entries) at = this.#record(records, at, key, value);
    this.#write(records);
  }

  sync(done: (error: Error | null) => void): void {
    this.#syncsUnderWay += 1;
    this.#fs.sync(this.fd, (error) => {
      this.#syncsUnderWay -= 1;
      if (this.#closing && this.#syncsUnderWay === 0) this.#fs.close(this.fd);
      done(error);
    });
  }

  /** Once the disk is not at work on it. */
  close(): void {
    this.#closing = true;
    if (this.#syncsUnderWay === 0) this.#fs.close(this.fd);
  }

  remove(): void {
    this.close();
    try {
      this.#fs.remove(this.path);
    } catch {
      // A leftover: the next snapshot removes it before it begins.
    }
  }

  /** Answers where it ends. */
  #record(records: Buffer, at: number, key: string, value: Uint8Array | null): number {
    const bodyAt = at + RECORD_HEAD_BYTES;
    const keyBytes = records.write(key, bodyAt + KEY_AT);
    assert(keyBytes <= KEY_BYTES_MAX, `a key of ${keyBytes} bytes`);
    records[bodyAt] = value === null ? DELETE : PUT;
    records.writeUInt16BE(keyBytes, bodyAt + 1);
    const valueAt = bodyAt + KEY_AT + keyBytes;
    if (value !== null) records.set(value, valueAt);
    const end = valueAt + (value?.length ?? 0);
    sealRecord(records, at, end - bodyAt, this.#salt);
    return end;
  }

  #write(bytes: Buffer): void {
    let taken = 0;
    try {
      while (taken < bytes.length) {
        taken += this.#fs.write(this.fd, bytes.subarray(taken), this.#bytes + taken);
      }
    } catch (error) {
      if (taken > 0) this.#takeBack();
      throw error;
    }
    this.#bytes += taken;
  }

  #takeBack(): void {
    try {
      this.#fs.truncate(this.fd, this.#bytes);
    } catch {
      // The next write goes over it, and an opening cuts a torn end off.
    }
  }
}
