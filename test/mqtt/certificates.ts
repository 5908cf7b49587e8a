/** Certificates for one test file, made by openssl in a folder of their own. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface KeyPair {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

export class Certificates {
  readonly #dir = mkdtempSync(join(tmpdir(), "brokerlink-certs-"));

  authority(name: string): KeyPair {
    const pair = this.#files(name);
    openssl("req", "-x509", ...NEW_KEY, "-days", "2", "-subj", `/CN=${name}`, "-keyout", pair.key, "-out", pair.cert);
    return this.#read(name);
  }

  /** `subjects`: as in subjectAltName; `days` below 0: expired. */
  issue(name: string, authority: KeyPair, subjects: string, days = 2): KeyPair {
    const { key, cert } = this.#files(name);
    const request = join(this.#dir, `${name}.csr`);
    const extensions = join(this.#dir, `${name}.ext`);
    writeFileSync(extensions, `subjectAltName=${subjects}\n`);
    openssl("req", ...NEW_KEY, "-subj", `/CN=${name}`, "-keyout", key, "-out", request);
    const signer = ["-CA", authority.certFile, "-CAkey", authority.keyFile, "-CAcreateserial"];
    openssl("x509", "-req", "-in", request, ...signer, "-days", String(days), "-extfile", extensions, "-out", cert);
    return this.#read(name);
  }

  [Symbol.dispose](): void {
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #files(name: string): { cert: string; key: string } {
    return { cert: join(this.#dir, `${name}.crt`), key: join(this.#dir, `${name}.key`) };
  }

  #read(name: string): KeyPair {
    const { cert, key } = this.#files(name);
    return { certFile: cert, keyFile: key, cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
  }
}

function openssl(...args: string[]): void {
  execFileSync("openssl", args, { stdio: ["ignore", "ignore", "pipe"] });
}
