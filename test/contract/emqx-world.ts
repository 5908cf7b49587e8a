/** EMQX as captured (test/emqx), with its REST API and two nodes. */
import { EmqxApi } from "../../src/broker/emqx-api.ts";
import { EmqxDouble } from "../emqx/emqx-double.ts";
import type { World, WorldClient } from "./broker-adapter.ts";
import { EventsWatch } from "./events-watch.ts";
import { MqttWorldClient, silentClient } from "./worlds.ts";

export class EmqxWorld implements World {
  readonly watch: EventsWatch;
  readonly double: EmqxDouble;

  private constructor(double: EmqxDouble) {
    this.double = double;
    const { rest, port } = double;
    const config = {
      urls: [rest.url],
      key: rest.key,
      secret: rest.secret,
      tls: null,
      pollIntervalMs: 2_000,
      timeoutMs: 5_000,
    };
    this.watch = new EventsWatch({
      kind: "emqx",
      port,
      protocolVersion: 4,
      api: { transport: new EmqxApi(() => config), pollIntervalMs: config.pollIntervalMs },
    });
  }

  static async open(): Promise<EmqxWorld> {
    return new EmqxWorld(await EmqxDouble.start());
  }

  async connect(id: string, how: { clean: boolean }): Promise<WorldClient> {
    return MqttWorldClient.connect(this.double.url, id, how);
  }
  async connectSilent(id: string, filter: string): Promise<void> {
    await silentClient(this.double.port, id, filter);
  }
  async stop(): Promise<void> {
    await this.double.stop();
  }
}
