/**
 * Says that one process has a directory: a Unix socket in it on which the owner listens. A process that was killed does not
 * answer, so its lock needs no time to expire; one that is stopped for a while still has the kernel answer for it.
 *
 * The sockets are numbered, and the highest number counts. A dead one is never replaced but followed by the next number,
 * which the file system gives to one process only; whoever has it removes the lower ones. So of several processes that find
 * the same dead lock none can take away what another has just got. The last one stays there, dead, when it is released.
 */
import { randomBytes } from "node:crypto";
import { chmodSync, closeSync, existsSync, linkSync, openSync, readdirSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { LinkError } from "../base/error-codes.ts";
import { reasonOf } from "./store-problem.ts";

const NUMBERED = /^lock\.(\d+)$/;
/** Of a socket that listens and has no number yet. */
const COMING = "lock-coming.";
/** What the kernel takes as the path of a socket, less room for the names of ours. */
const SOCKET_PATH_BYTES_MAX = 60;
/** Others may be after the same dead lock: each of these is one of them being faster. */
const TRIES_MAX = 8;
const FILE_MODE = 0o600;
/** For the name of the owner, which is only for the message: that it answers at all is enough. */
const ANSWER_WITHIN_MS = 500;

export class DirLock {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async take(folder: string): Promise<DirLock> {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.end(`${process.pid}\n`);
    });
    const mine = `${COMING}${process.pid}.${randomBytes(4).toString("hex")}`;
    // Listening comes before the number: whoever finds a number finds somebody who answers, or a dead one.
    await inFolder(folder, (short) => listen(server, join(short, mine)));
    try {
      chmodSync(join(folder, mine), FILE_MODE);
      const number = await claim(folder, mine);
      for (const lower of numbersIn(folder)) if (lower < number) rmSync(pathOf(folder, lower), { force: true });
    } catch (error) {
      server.close();
      throw error;
    } finally {
      rmSync(join(folder, mine), { force: true });
    }
    // The lock must not keep the process alive.
    server.unref();
    // Left by processes that were killed while they tried. Those of the living are theirs.
    for (const name of readdirSync(folder).filter((each) => each.startsWith(COMING))) {
      if ((await ownerOf(folder, name)) === null) rmSync(join(folder, name), { force: true });
    }
    return new DirLock(server);
  }

  /** Who has the folder; null: nobody. Changes nothing. */
  static async owner(folder: string): Promise<string | null> {
    const highest = Math.max(0, ...numbersIn(folder));
    return highest === 0 ? null : ownerOf(folder, nameOf(highest));
  }

  release(): void {
    this.#server.close();
  }
}

/** Whether a file stands for an owner, alive or dead; not those of processes that are about to become one. */
export function isLockFile(name: string): boolean {
  return NUMBERED.test(name);
}

/** Gives the socket `mine` the next number, if nobody alive has the highest; answers it. */
async function claim(folder: string, mine: string): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const highest = Math.max(0, ...numbersIn(folder));
    const owner = highest === 0 ? null : await ownerOf(folder, nameOf(highest));
    if (owner !== null) throw locked(folder, owner);
    const next = highest + 1;
    if (!linked(join(folder, mine), pathOf(folder, next))) continue;
    // Free because somebody had it, died, was followed and tidied away? Then a higher one is there.
    if (Math.max(...numbersIn(folder)) === next) return next;
    rmSync(pathOf(folder, next), { force: true });
  }
  throw locked(folder, "several processes that start at once");
}

function numbersIn(folder: string): number[] {
  return readdirSync(folder).flatMap((name) => {
    const number = NUMBERED.exec(name)?.[1];
    return number === undefined ? [] : [Number(number)];
  });
}

function nameOf(number: number): string {
  return `lock.${number}`;
}

function pathOf(folder: string, number: number): string {
  return join(folder, nameOf(number));
}

function locked(folder: string, owner: string): LinkError {
  return new LinkError(
    "DATA_DIR_LOCKED",
    `${folder} is in use by ${owner}: each agent needs a data directory of its own`,
  );
}

/** False: the name is taken. */
function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (existsSync(to)) return false;
    throw error;
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** Who listens; null: nobody. Any doubt counts as somebody. */
function ownerOf(folder: string, name: string): Promise<string | null> {
  return inFolder(folder, (short) => {
    return new Promise((resolve) => {
      const socket = connect(join(short, name));
      let heard = "";
      const answer = (owner: string | null) => {
        socket.destroy();
        resolve(owner);
      };
      const anybody = () => answer(/^\d+\n$/.test(heard) ? `process ${heard.trim()}` : "another process");
      socket.setTimeout(ANSWER_WITHIN_MS, anybody);
      socket.on("data", (bytes) => {
        heard = (heard + bytes.toString("latin1")).slice(0, 16);
      });
      socket.on("end", anybody);
      socket.on("error", (error) => {
        const code = "code" in error ? error.code : "";
        if (code === "ECONNREFUSED" || code === "ENOENT") answer(null);
        else answer(`something that answers "${reasonOf(error)}"`);
      });
    });
  });
}

/** The path of a socket may have 108 bytes: a longer folder is reached through a descriptor of it, as Linux allows. */
async function inFolder<T>(folder: string, act: (short: string) => Promise<T>): Promise<T> {
  if (Buffer.byteLength(folder) <= SOCKET_PATH_BYTES_MAX) return act(folder);
  const fd = openSync(folder, "r");
  try {
    return await act(`/proc/self/fd/${fd}`);
  } finally {
    closeSync(fd);
  }
}
