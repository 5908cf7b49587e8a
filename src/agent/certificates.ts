/** When the certificates end that the agent shows, trusts, or was shown: an expiry that nobody saw coming cuts a link at night. */
import { certificatesOf } from "../config/file-values.ts";
import type { AgentConfig, TlsConfig } from "../config/types.ts";
import type { CertificateStatus } from "../ops/agent-status.ts";
import type { Carriers } from "./carriers.ts";

type Ends = Readonly<Record<"ca" | "client", number | null>>;

export class Certificates {
  /** Parsing takes longer than all the rest of a scrape; a configuration that is read again has new objects. */
  readonly #known = new WeakMap<TlsConfig, Ends>();

  list(config: AgentConfig, shown: Pick<Carriers, "certificateEndsAtMs">): CertificateStatus[] {
    const endpoints = [
      { link: null, tls: config.local.tls },
      ...config.links.flatMap(({ enable, name, endpoint }) =>
        enable && endpoint !== null ? [{ link: name, tls: endpoint.tls }] : [],
      ),
    ];
    return endpoints.flatMap(({ link, tls }) => {
      const ends = { ...(tls === null ? {} : this.#ends(tls)), server: shown.certificateEndsAtMs(link) };
      return Object.entries(ends).flatMap(([kind, endsAtMs]) => (endsAtMs === null ? [] : [{ link, kind, endsAtMs }]));
    });
  }

  #ends(tls: TlsConfig): Ends {
    const known = this.#known.get(tls);
    if (known !== undefined) return known;
    const ends = { ca: firstEnd(tls.ca), client: firstEnd(tls.cert) };
    this.#known.set(tls, ends);
    return ends;
  }
}

/** Of several certificates in a file the one that ends first counts. */
function firstEnd(pem: string | null): number | null {
  if (pem === null) return null;
  const ends = certificatesOf(pem).map(({ validTo }) => Date.parse(validTo));
  return ends.length === 0 ? null : Math.min(...ends);
}
