/** Looks at the certificates that a server shows, whether or not they are to be trusted. Speaks no MQTT. */
import { connect, type DetailedPeerCertificate, type TLSSocket } from "node:tls";
import { codeOf } from "./dial-problem.ts";
import type { EndpointTls } from "./endpoint.ts";
import { parseTarget, tlsOptions } from "./target.ts";

export interface ShownCertificate {
  /** Common name, or the whole subject. */
  readonly subject: string;
  readonly issuer: string;
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  /** As in subjectAltName, in the certificate's own writing. */
  readonly names: string | null;
}

export type CertificateLook =
  | {
      readonly ok: true;
      readonly protocol: string | null;
      /** Why it is not trusted, by the code of OpenSSL or Node; null: it is. */
      readonly distrust: string | null;
      /** The server's own first, then those it was signed with, as far as shown or known. */
      readonly chain: readonly ShownCertificate[];
    }
  | { readonly ok: false; readonly reason: string };

/** Longer chains are none. */
const CHAIN_MAX = 10;

export function lookAtCertificate(url: string, tls: EndpointTls | null, withinMs: number): Promise<CertificateLook> {
  const target = parseTarget(url);
  if (target === null) return Promise.resolve({ ok: false, reason: "not a broker's URL" });
  return new Promise((resolve) => {
    const end = (look: CertificateLook): void => {
      clearTimeout(timer);
      resolve(look);
      socket.destroy();
    };
    const timer = setTimeout(() => end({ ok: false, reason: `no answer within ${withinMs / 1_000} s` }), withinMs);
    const socket = connect({
      ...tlsOptions(tls, target.host),
      host: target.host,
      port: target.port,
      rejectUnauthorized: false,
    });
    socket.on("error", (error) =>
      end({ ok: false, reason: `${error.message.trim()} (${codeOf(error) ?? error.name})` }),
    );
    socket.once("secureConnect", () =>
      end({
        ok: true,
        protocol: socket.getProtocol(),
        distrust: socket.authorized ? null : distrustOf(socket),
        chain: chainOf(socket.getPeerCertificate(true)),
      }),
    );
  });
}

/** Its type says that it is an error, and mostly it is a code. */
function distrustOf({ authorizationError }: TLSSocket): string {
  const why: unknown = authorizationError;
  if (why instanceof Error) return codeOf(why) ?? why.message;
  return String(why);
}

function chainOf(first: DetailedPeerCertificate): ShownCertificate[] {
  const chain: ShownCertificate[] = [];
  const seen = new Set<string>();
  // A self-signed certificate is its own issuer.
  for (
    let next: DetailedPeerCertificate | undefined = first;
    next?.fingerprint256 !== undefined;
    next = next.issuerCertificate
  ) {
    if (seen.has(next.fingerprint256) || chain.length >= CHAIN_MAX) break;
    seen.add(next.fingerprint256);
    chain.push({
      subject: nameOf(next.subject),
      issuer: nameOf(next.issuer),
      startsAtMs: Date.parse(next.valid_from),
      endsAtMs: Date.parse(next.valid_to),
      names: next.subjectaltname ?? null,
    });
  }
  return chain;
}

function nameOf(subject: DetailedPeerCertificate["subject"] | undefined): string {
  if (subject === undefined) return "nobody";
  const parts = Object.entries(subject).map(([key, value]) => `${key}=${[value].flat().join("+")}`);
  return typeof subject.CN === "string" ? subject.CN : parts.join(", ");
}
