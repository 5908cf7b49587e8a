/** One agent's links as its configuration has them now: changed, taken away and brought back while it runs. */
import type { LinkDues } from "../../src/flow/link-dues.ts";
import type { LaneLogs } from "../../src/flow/outbound-options.ts";
import type { Hub } from "../../src/hub/hub.ts";
import type { HubLinkOptions } from "../../src/hub/link-host.ts";
import type { FrameCodec } from "../../src/wire/compression.ts";
import type { ClusterShape, WorldShape } from "./shape.ts";
import type { SimDisk } from "./sim-disk.ts";

export class SimLinks {
  readonly #shape: ClusterShape;
  readonly #world: WorldShape;
  readonly #disk: SimDisk | null;
  readonly #hex16: () => string;
  readonly #codec: FrameCodec;
  /** Links that are taken away for now, with their spools; null: for good, as if they had never been. */
  readonly #away = new Map<string, LaneLogs | null>();
  #dues: { readonly peer: string; readonly dues: LinkDues }[] = [];

  constructor(shape: ClusterShape, world: WorldShape, disk: SimDisk | null, hex16: () => string, codec: FrameCodec) {
    this.#shape = shape;
    this.#world = world;
    this.#disk = disk;
    this.#hex16 = hex16;
    this.#codec = codec;
  }

  /** A new life has all links again. */
  restart(): void {
    this.#away.clear();
    this.#dues = [];
  }

  isAway(peer: string): boolean {
    return this.#away.has(peer);
  }

  options(peer: string): HubLinkOptions {
    const { topics, exportFilters, dials, framesInflightMax } = this.#world.link(this.#shape.name, peer);
    return {
      name: peer,
      topics,
      exportFilters,
      dialsIn: !dials,
      routesMax: 10_000,
      routeRetentionMs: this.#shape.routeRetentionMs,
      framesInflightMax,
      retryIntervalMs: 15_000,
      spool: this.#shape.spool,
      durability: this.#shape.durability,
      ...(this.#shape.compresses ? { codec: this.#codec } : {}),
      ...(this.#disk === null ? {} : { logs: this.#disk.logsOf(peer, this.#hex16) }),
    };
  }

  change(hub: Hub, peer: string, nowMs: number): void {
    hub.changes.change(this.options(peer), nowMs);
  }

  /** `isKept`: what is in its spool, and what it knows of the peer's streams, is there when it comes back. */
  remove(hub: Hub, peer: string, isKept: boolean, nowMs: number): void {
    const parted = hub.changes.remove(peer, nowMs);
    if (parted === null) return;
    const { lanes, intake } = parted.outbound;
    intake.giveUp();
    if (!isKept) hub.changes.forget(peer);
    for (const { dues } of lanes.both) {
      if (this.#disk === null) dues.release();
      else this.#dues.push({ peer, dues });
    }
    this.#away.set(peer, isKept ? lanes.logs : null);
  }

  add(hub: Hub, peer: string, nowMs: number): void {
    const logs = this.#away.get(peer) ?? null;
    this.#away.delete(peer);
    const options = this.options(peer);
    hub.changes.add(logs === null ? options : { ...options, logs }, nowMs);
  }

  synced(peer: string): void {
    for (const each of this.#dues) if (each.peer === peer) each.dues.synced();
    this.#dues = this.#dues.filter(({ dues }) => dues.waiting > 0);
  }
}
