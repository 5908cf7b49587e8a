/** A folder for one test, messages for it, and a disk that fails when it is told to. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { DiskSpoolLog } from "../../src/store/disk-spool-log.ts";
import { diskFileSystem, type FileSystem } from "../../src/store/file-system.ts";
import type { DiskAnswer, StoreProblem } from "../../src/store/store-problem.ts";
import type { Message } from "../../src/wire/message.ts";

export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "brokerlink-store-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Reports of a test, which shows all of them when it fails. */
export class Reports {
  readonly all: StoreProblem[] = [];
  readonly report = (problem: StoreProblem): void => {
    this.all.push(problem);
  };

  get text(): string {
    return this.all.map(({ code, message }) => `${code} ${message}`).join("\n");
  }
}

/** One whose content tells its number, so that a mix-up shows. */
export function message(number: number, payloadBytes = 20): Message {
  const payload = new Uint8Array(payloadBytes);
  payload.fill(number % 251);
  const text = new TextEncoder().encode(String(number));
  payload.set(text.subarray(0, payloadBytes));
  return { topic: `t/${number}`, payload, qos: 1, retain: false, properties: null, expiryMs: null };
}

export function syncOf(log: Pick<DiskSpoolLog, "sync">): Promise<DiskAnswer> {
  return new Promise((resolve) => log.sync(resolve));
}

export function closeOf(log: Pick<DiskSpoolLog, "close">): Promise<DiskAnswer> {
  return new Promise((resolve) => log.close(resolve));
}

/** Numbers and topics of all that a log has. */
export function contentOf(log: DiskSpoolLog): [number, string][] {
  const content: [number, string][] = [];
  for (let number = log.base; number <= log.lastNumber; number += 1) {
    const entry = log.get(number);
    if (entry !== undefined) content.push([number, entry.message.topic]);
  }
  return content;
}

/** For thousands of openings: nobody pulls a plug here. */
export const hastyDisk: FileSystem = { ...diskFileSystem, syncNow: () => {}, syncFolderNow: () => {} };

type Failing = keyof FileSystem;

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code });
}

/** The real disk, whose calls fail as a test says. */
export class FaultyDisk implements FileSystem {
  /** Calls that fail, and the code they fail with. */
  readonly failing = new Map<Failing, string>();
  /** How many bytes are still taken before ENOSPC. */
  roomBytes = Number.POSITIVE_INFINITY;
  readonly calls = new Map<Failing, number>();
  /** Syncs wait here while it is not null. */
  held: (() => void)[] | null = null;

  #call(name: Failing): void {
    this.calls.set(name, (this.calls.get(name) ?? 0) + 1);
    const code = this.failing.get(name);
    if (code !== undefined) throw systemError(code);
  }

  create(path: string): number {
    this.#call("create");
    return diskFileSystem.create(path);
  }
  openForWriting(path: string): number {
    this.#call("openForWriting");
    return diskFileSystem.openForWriting(path);
  }
  close(fd: number): void {
    diskFileSystem.close(fd);
  }
  read(path: string): Buffer {
    this.#call("read");
    return diskFileSystem.read(path);
  }
  write(fd: number, bytes: Uint8Array, position: number): number {
    this.#call("write");
    if (bytes.length > 0 && this.roomBytes <= 0) throw systemError("ENOSPC");
    const taken = diskFileSystem.write(fd, bytes.subarray(0, Math.min(bytes.length, this.roomBytes)), position);
    this.roomBytes -= taken;
    return taken;
  }
  truncate(fd: number, length: number): void {
    this.#call("truncate");
    diskFileSystem.truncate(fd, length);
  }
  sync(fd: number, done: (error: Error | null) => void): void {
    this.calls.set("sync", (this.calls.get("sync") ?? 0) + 1);
    const act = () => {
      const code = this.failing.get("sync");
      if (code === undefined) diskFileSystem.sync(fd, done);
      else process.nextTick(done, systemError(code));
    };
    if (this.held === null) act();
    else this.held.push(act);
  }
  syncNow(fd: number): void {
    this.#call("syncNow");
    diskFileSystem.syncNow(fd);
  }
  syncFolder(path: string, done: (error: Error | null) => void): void {
    const code = this.failing.get("syncFolder");
    if (code === undefined) diskFileSystem.syncFolder(path, done);
    else process.nextTick(done, systemError(code));
  }
  syncFolderNow(path: string): void {
    this.#call("syncFolderNow");
    diskFileSystem.syncFolderNow(path);
  }
  list(path: string): string[] {
    this.#call("list");
    return diskFileSystem.list(path);
  }
  remove(path: string): void {
    this.#call("remove");
    diskFileSystem.remove(path);
  }
  rename(from: string, to: string): void {
    this.#call("rename");
    diskFileSystem.rename(from, to);
  }
  makeFolder(path: string): void {
    this.#call("makeFolder");
    diskFileSystem.makeFolder(path);
  }
  state(path: string): ReturnType<FileSystem["state"]> {
    this.#call("state");
    return diskFileSystem.state(path);
  }
  setMode(path: string, mode: number): void {
    this.#call("setMode");
    diskFileSystem.setMode(path, mode);
  }
}
