/** Whether a broker's certificates are to be trusted, for how long, and what would have to change if not. */
import { certificatesOf } from "../config/file-values.ts";
import { quoted } from "../config/printable.ts";
import { isSecure } from "../config/server-format.ts";
import type { EndpointConfig, TlsConfig } from "../config/types.ts";
import { type CertificateLook, lookAtCertificate, type ShownCertificate } from "../mqtt/certificate-look.ts";
import { CONFIGURATION, type Finding, type Fix, finding } from "./finding.ts";

const WITHIN_MS = 10_000;
/** As the alert of examples/monitoring. */
const SOON_MS = 14 * 86_400_000;

type Trusted = Extract<CertificateLook, { ok: true }>;

/** `at`: where the broker stands in the configuration, such as `links[0]`. */
export async function checkTls(endpoint: EndpointConfig, at: string, nowMs: number): Promise<Finding[]> {
  const { tls, urls } = endpoint;
  if (tls === null) return [];
  const looks = urls.filter(isSecure).map(async (url) => {
    const look = await lookAtCertificate(url, tls, WITHIN_MS);
    // That it cannot be reached is said by whoever connects.
    return look.ok ? serverFindings(url, look, tls, at, nowMs) : [];
  });
  return [...(await Promise.all(looks)).flat(), ...ownFindings(tls, at, nowMs)];
}

function serverFindings(url: string, look: Trusted, tls: TlsConfig, at: string, nowMs: number): Finding[] {
  const { chain, distrust, protocol } = look;
  const [own] = chain;
  if (own === undefined) return [finding("tls", "fault", `${url} shows no certificate`)];
  if (distrust !== null && tls.verify) return [distrusted(url, distrust, chain, at, nowMs)];
  const findings = ends(`the certificate of ${url}`, chain, nowMs);
  if (!tls.verify) {
    const why = distrust === null ? "" : ` (it would not be trusted: ${distrust})`;
    const text = `certificates are not verified${why}: anybody on the way can pretend to be this broker`;
    findings.unshift(finding("tls", "warning", text, sslFix(at, ["verify: true"])));
  }
  if (findings.length > 0) return findings;
  return [
    finding("tls", "ok", `${protocol ?? "TLS"}, certificate of ${quoted(own.subject)} until ${day(own.endsAtMs)}`),
  ];
}

function distrusted(url: string, code: string, chain: readonly ShownCertificate[], at: string, nowMs: number): Finding {
  const own = chain[0];
  const last = chain.at(-1);
  switch (code) {
    case "CERT_HAS_EXPIRED": {
      const ended = chain.find(({ endsAtMs }) => endsAtMs <= nowMs);
      const text = `the certificate of ${quoted(ended?.subject ?? "")} at ${url} ended on ${day(ended?.endsAtMs ?? 0)}: its broker needs a new one`;
      return finding("tls", "fault", text);
    }
    case "CERT_NOT_YET_VALID": {
      const early = chain.find(({ startsAtMs }) => startsAtMs > nowMs);
      const text = `the certificate of ${quoted(early?.subject ?? "")} at ${url} begins on ${day(early?.startsAtMs ?? 0)}, and here it is ${day(nowMs)}: is the clock right?`;
      return finding("tls", "fault", text);
    }
    case "ERR_TLS_CERT_ALTNAME_INVALID": {
      const text = `the certificate at ${url} is for ${own?.names ?? own?.subject ?? "nobody"}, not for that host`;
      const name = /(?:DNS|IP Address):([^,\s]+)/.exec(own?.names ?? "")?.[1] ?? own?.subject ?? "";
      return finding("tls", "fault", text, sslFix(at, [`servername: ${name}`]));
    }
    default: {
      const issuer = quoted(last?.issuer ?? "");
      const text = `the certificate at ${url} is not trusted: nothing here vouches for ${issuer} (${code})`;
      return finding("tls", "fault", text, sslFix(at, [`cacertfile: FILE # with the certificate of ${issuer}`]));
    }
  }
}

/** Those that we show, and those that we trust. */
function ownFindings({ cert, ca }: TlsConfig, at: string, nowMs: number): Finding[] {
  const read = (pem: string | null): ShownCertificate[] =>
    certificatesOf(pem ?? "").map(({ subject, issuer, validFrom, validTo, subjectAltName }) => ({
      subject: subject.replaceAll("\n", ", "),
      issuer,
      startsAtMs: Date.parse(validFrom),
      endsAtMs: Date.parse(validTo),
      names: subjectAltName ?? null,
    }));
  return [...ends(`${at}.ssl.certfile`, read(cert), nowMs), ...ends(`${at}.ssl.cacertfile`, read(ca), nowMs)];
}

function ends(what: string, chain: readonly ShownCertificate[], nowMs: number): Finding[] {
  return chain.flatMap(({ subject, endsAtMs }) => {
    const leftMs = endsAtMs - nowMs;
    if (leftMs > SOON_MS) return [];
    const text =
      leftMs <= 0
        ? `${what}: ${quoted(subject)} ended on ${day(endsAtMs)}`
        : `${what}: ${quoted(subject)} ends on ${day(endsAtMs)}, in ${Math.floor(leftMs / 86_400_000)} days`;
    return [finding("tls", leftMs <= 0 ? "fault" : "warning", text)];
  });
}

function sslFix(at: string, lines: readonly string[]): Fix {
  return { file: CONFIGURATION, lines: [`# ${at}`, "ssl:", ...lines.map((line) => `  ${line}`)] };
}

function day(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10);
}
