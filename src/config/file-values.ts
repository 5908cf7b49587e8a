/**
 * What the configuration keeps in files of its own: passwords, the token, certificates and keys. Read once, at load; a
 * file that cannot be read is a problem that names it, and no content is ever part of a problem.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { dirname, isAbsolute, join } from "node:path";
import { secretProblem } from "./formats.ts";
import type { Origins } from "./origins.ts";
import { quoted } from "./printable.ts";
import type { Path, ProblemList } from "./problem.ts";

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const PRIVATE_KEY = /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/;
const ENCRYPTED_KEY = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m;

export interface FileSource {
  /** Throws when it cannot. */
  readonly readFile: (path: string) => string;
  /** What a name stands for; null: nothing yet. Throws when it cannot be told. */
  readonly pathKind: (path: string) => "directory" | "other" | null;
  /** Of the configuration file: names in it are relative to its folder. */
  readonly configPath: string | null;
}

export class FileValues {
  readonly #source: FileSource;
  readonly #origins: Origins;
  readonly #problems: ProblemList;

  constructor(source: FileSource, origins: Origins, problems: ProblemList) {
    this.#source = source;
    this.#origins = origins;
    this.#problems = problems;
  }

  /** The secret itself, or that in the file; `name` is the key without `_file`. */
  secret(given: string | null, fileName: string | null, group: Path, name: string): string | null {
    const path = [...group, `${name}_file`];
    if (fileName === null) return given;
    if (given !== null) {
      this.#problems.add(path, `is given beside ${name}: keep one of the two`);
      return given;
    }
    const content = this.#read(fileName, path);
    if (content === null) return null;
    const secret = content.replace(/\r?\n$/, "");
    const problem = secretProblem(secret);
    if (problem === null) return secret;
    this.#problems.add(path, `file ${quoted(fileName)} ${problem}`);
    return null;
  }

  /** PEM text of one certificate or more. */
  certificates(fileName: string | null, path: Path): string | null {
    const text = fileName === null ? null : this.#read(fileName, path);
    if (text === null) return null;
    const found = text.match(CERTIFICATE);
    if (found?.every(isCertificate)) return text;
    this.#problems.add(path, `file ${quoted(fileName ?? "")} is no certificate in PEM form`);
    return null;
  }

  /** PEM text of a private key. */
  privateKey(fileName: string | null, path: Path): string | null {
    const text = fileName === null ? null : this.#read(fileName, path);
    if (text === null) return null;
    const shown = `file ${quoted(fileName ?? "")}`;
    if (ENCRYPTED_KEY.test(text)) {
      this.#problems.add(path, `${shown} has a passphrase: an agent starts without a person, so take it off`);
    } else if (!PRIVATE_KEY.test(text) || !isPrivateKey(text)) {
      this.#problems.add(path, `${shown} is no private key in PEM form`);
    } else return text;
    return null;
  }

  /** What is to become a directory, or is one already. Nothing is made: that is for the agent, once all is right. */
  folder(name: string, path: Path): void {
    try {
      if (this.#source.pathKind(name) === "other") this.#problems.add(path, `${quoted(name)} is no directory`);
    } catch (error) {
      this.#problems.add(path, `cannot use ${quoted(name)}: ${systemReason(error)}`);
    }
  }

  #read(name: string, path: Path): string | null {
    const file = this.#resolve(name, path);
    try {
      return this.#source.readFile(file);
    } catch (error) {
      this.#problems.add(path, `cannot read ${quoted(file)}: ${systemReason(error)}`);
      return null;
    }
  }

  /** Names in variables are relative to the working directory, like all others on a command line. */
  #resolve(name: string, path: Path): string {
    const { configPath } = this.#source;
    if (configPath === null || isAbsolute(name) || this.#origins.outsideFile(path) !== null) return name;
    return join(dirname(configPath), name);
  }
}

/** What the system says of a failure: `ENOENT: no such file or directory`, without the file. */
export function systemReason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return /^[A-Z0-9_]+: [^,']+/.exec(message)?.[0].trim() ?? message;
}

/** Whether the key is that of the certificate. Both have been checked. */
export function belongTogether(certificate: string, key: string): boolean {
  return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
}

/** Those of a PEM text that has been checked. */
export function certificatesOf(pem: string): X509Certificate[] {
  return (pem.match(CERTIFICATE) ?? []).map((one) => new X509Certificate(one));
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== null;
  } catch {
    // The right lines around something else.
    return false;
  }
}

function isPrivateKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).type === "private";
  } catch {
    // The right lines around something else.
    return false;
  }
}
