/** Takes the picture of the moment from what agents, brokers, wires and clients say. */
import type { DemoCluster } from "./demo-cluster.ts";
import type { DemoWorld } from "./demo-world.ts";
import type { ClusterPicture, FlowPicture, Picture } from "./picture.ts";
import { Rates } from "./rates.ts";
import type { WideAreaWire } from "./wide-area-wire.ts";

export class Camera {
  readonly #world: DemoWorld;
  readonly #rates = new Rates();

  constructor(world: DemoWorld) {
    this.#world = world;
  }

  take(news: readonly string[], nowMs: number): Picture {
    const { office, factory, toOffice, toFactory } = this.#world;
    const statuses = this.#world.clusters.map((cluster) => cluster.agent.status().hub);
    const links = statuses.flatMap(({ links: list }) => list);
    const worst = links.find(({ status }) => status !== "connected")?.status ?? "connected";
    const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
    return {
      upper: this.#cluster(office, factory.name, nowMs),
      lower: this.#cluster(factory, office.name, nowMs),
      up: this.#flow(office, toOffice, nowMs),
      down: this.#flow(factory, toFactory, nowMs),
      link: worst,
      healthy: worst === "connected",
      waiting: sum(links.map(({ queue }) => queue.spooled)),
      dropped: sum(links.flatMap(({ dropped }) => dropped.map(({ count }) => count))),
      suppressed: sum(statuses.map(({ local }) => (local["echo"] ?? 0) + (local["loop_mark"] ?? 0))),
      news,
      hint: `Try: mosquitto_sub -p ${office.port} -v -t 'line/+/vibration'`,
    };
  }

  #cluster(cluster: DemoCluster, peer: string, nowMs: number): ClusterPicture {
    const { name, url } = cluster;
    return {
      name,
      url,
      exact: cluster.agent.status().hub.wide === null,
      clients: cluster.clients.map((client) => ({
        name: client.name,
        filters: client.filters,
        receivedPerSecond: this.#rates.perSecond(`client ${client.name}`, client.received, nowMs),
      })),
      asksFor: cluster.routesOut(peer),
      isAskedFor: cluster.routesIn(peer),
      publishedPerSecond: this.#rates.perSecond(`published ${name}`, cluster.published, nowMs),
    };
  }

  /** What arrives at `cluster`. */
  #flow(cluster: DemoCluster, wire: WideAreaWire, nowMs: number): FlowPicture {
    return {
      messagesPerSecond: this.#rates.perSecond(`arrived ${cluster.name}`, cluster.arrived, nowMs),
      bytesPerSecond: this.#rates.perSecond(`bytes ${cluster.name}`, wire.bytes, nowMs),
      messages: cluster.arrived,
    };
  }
}
