/** How each link's bytes leave: over the connection to the peer's broker, or, where the peer dials in, over our own. */

import type { LinkConnection } from "./link-connection.ts";
import type { LocalBroker } from "./local-broker.ts";

export class Carriers {
  readonly #cluster: string;
  readonly #local: () => LocalBroker;
  readonly #peers: ReadonlyMap<string, LinkConnection>;

  constructor(cluster: string, local: () => LocalBroker, peers: ReadonlyMap<string, LinkConnection>) {
    this.#cluster = cluster;
    this.#local = local;
    this.#peers = peers;
  }

  control(link: string, bytes: Uint8Array): void {
    const peer = this.#peers.get(link);
    if (peer !== undefined) peer.sendControl(bytes);
    else this.#local().sendControl(link, this.#cluster, bytes);
  }

  frame(link: string, frame: number, bytes: Uint8Array, confirm: boolean): void {
    const peer = this.#peers.get(link);
    if (peer !== undefined) peer.sendFrame(frame, bytes, confirm);
    else this.#local().sendFrame(link, frame, bytes, confirm);
  }

  /** Of the certificate that the broker of a link showed last; `link` null: the local one. Null: no TLS, or none yet. */
  certificateEndsAtMs(link: string | null): number | null {
    return (link === null ? this.#local() : this.#peers.get(link))?.certificateEndsAtMs ?? null;
  }

  isCongested(link: string): boolean {
    return this.#peers.get(link)?.congested ?? this.#local().linkCongested;
  }
}
