/**
 * Says that one process has a directory: a Unix socket in it on which the owner listens. A process that was killed does not
 * answer, so its lock needs no time to expire; one that is stopped for a while still has the kernel answer for it.
 */
import { randomBytes } from "node:crypto";
import { chmodSync, closeSync, existsSync, linkSync, openSync, readdirSync, renameSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { LinkError } from "../base/error-codes.ts";
import { reasonOf } from "./store-problem.ts";

const NAME = "lock";
/** What the kernel takes as the path of a socket, less room for the names of ours. */
const SOCKET_PATH_BYTES_MAX = 60;
/** Somebody else may be taking the same dead lock: each of these is one of them being faster. */
const TRIES_MAX = 8;
const FILE_MODE = 0o600;
/** For the name of the owner, which is only for the message: that it answers at all is enough. */
const ANSWER_WITHIN_MS = 500;

export class DirLock {
  readonly #server: Server;
  readonly #path: string;

  private constructor(server: Server, path: string) {
    this.#server = server;
    this.#path = path;
  }

  static async take(folder: string): Promise<DirLock> {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.end(`${process.pid}\n`);
    });
    const mine = `${NAME}.${process.pid}.${randomBytes(4).toString("hex")}`;
    // Listening comes before the name: whoever finds the name finds somebody who answers, or a dead one.
    await inFolder(folder, (short) => listen(server, join(short, mine)));
    try {
      chmodSync(join(folder, mine), FILE_MODE);
      await claim(folder, mine);
    } catch (error) {
      server.close();
      throw error;
    } finally {
      rmSync(join(folder, mine), { force: true });
    }
    // The lock must not keep the process alive.
    server.unref();
    for (const name of readdirSync(folder)) {
      if (name.startsWith(`${NAME}.`)) rmSync(join(folder, name), { force: true });
    }
    return new DirLock(server, join(folder, NAME));
  }

  release(): void {
    rmSync(this.#path, { force: true });
    this.#server.close();
  }
}

/** Gives the socket `mine` the name of the lock, if nobody alive has it. */
async function claim(folder: string, mine: string): Promise<void> {
  const lock = join(folder, NAME);
  const aside = join(folder, `${mine}.old`);
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    if (linked(join(folder, mine), lock)) return;
    const owner = await ownerOf(folder, NAME);
    if (owner !== null) throw locked(folder, owner);
    // Dead. Between the question and this somebody may have put a living one in its place: ask what was taken away.
    try {
      renameSync(lock, aside);
    } catch {
      // Another process was faster with the dead one.
      continue;
    }
    const taken = await ownerOf(folder, `${mine}.old`);
    if (taken !== null) linked(aside, lock);
    rmSync(aside, { force: true });
    if (taken !== null) throw locked(folder, taken);
  }
  throw locked(folder, "several processes that start at once");
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
