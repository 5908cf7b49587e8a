/** Each kind of broker and transport that a session is tried on, as far as the machine can have it. */
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { Aedes } from "aedes";
import { createWebSocketStream, WebSocketServer } from "ws";
import type { EndpointTls } from "../../src/mqtt/endpoint.ts";
import { Certificates } from "../mqtt/certificates.ts";
import { TestMosquitto } from "../mqtt/test-mosquitto.ts";

export interface SessionWorld {
  readonly url: string;
  readonly tls: EndpointTls | null;
  /** Of the plain TCP listener. */
  readonly port: number;
  stop(): Promise<void>;
}

export interface SessionWorldKind {
  readonly name: string;
  readonly broker: "mosquitto" | "aedes";
  readonly webSocket: boolean;
  /** What the session is told. */
  readonly protocolVersion: 4 | 5 | null;
  /** What it has to arrive at. */
  readonly version: 4 | 5;
  start(): Promise<SessionWorld>;
}

async function mosquitto(scheme: "mqtt" | "mqtts" | "ws" | "wss"): Promise<SessionWorld> {
  const certificates = new Certificates();
  const authority = certificates.authority("ca");
  const server = certificates.issue("server", authority, "IP:127.0.0.1");
  const secured = [`cafile ${authority.certFile}`, `certfile ${server.certFile}`, `keyfile ${server.keyFile}`];
  const broker = await TestMosquitto.start(
    (dir, [plain, second]) => [
      "allow_anonymous true",
      "max_queued_messages 0",
      "persistence true",
      `persistence_location ${dir}/`,
      `listener ${plain} 127.0.0.1`,
      `listener ${second} 127.0.0.1`,
      ...(scheme === "ws" || scheme === "wss" ? ["protocol websockets"] : []),
      ...(scheme === "mqtts" || scheme === "wss" ? secured : []),
    ],
    2,
  );
  const [plain = 0, second] = broker.ports;
  return {
    url: scheme === "mqtt" ? broker.url : `${scheme}://127.0.0.1:${second}`,
    tls: { ca: authority.cert, cert: null, key: null, verify: true, servername: null },
    port: plain,
    stop: async () => {
      await broker[Symbol.asyncDispose]();
      certificates[Symbol.dispose]();
    },
  };
}

async function aedes(webSocket: boolean): Promise<SessionWorld> {
  const broker = await Aedes.createBroker();
  const tcp = createServer((socket) => broker.handle(socket));
  const http = createHttpServer();
  const upgrades = new WebSocketServer({ server: http });
  upgrades.on("connection", (socket) => broker.handle(createWebSocketStream(socket)));
  const listening = [tcp, http].map(
    (server) =>
      new Promise<number>((resolve) =>
        server.listen(0, "127.0.0.1", () => {
          const address = server.address();
          resolve(typeof address === "object" && address !== null ? address.port : 0);
        }),
      ),
  );
  const [port = 0, wsPort] = await Promise.all(listening);
  return {
    url: webSocket ? `ws://127.0.0.1:${wsPort}` : `mqtt://127.0.0.1:${port}`,
    tls: null,
    port,
    stop: async () => {
      await new Promise<void>((resolve) => broker.close(() => resolve()));
      for (const socket of upgrades.clients) socket.terminate();
      http.close();
      tcp.close();
    },
  };
}

export const SESSION_WORLDS: readonly SessionWorldKind[] = [
  {
    name: "Mosquitto, MQTT 5",
    broker: "mosquitto",
    webSocket: false,
    protocolVersion: null,
    version: 5,
    start: () => mosquitto("mqtt"),
  },
  {
    name: "Mosquitto, MQTT 3.1.1",
    broker: "mosquitto",
    webSocket: false,
    protocolVersion: 4,
    version: 4,
    start: () => mosquitto("mqtt"),
  },
  {
    name: "Mosquitto, WebSocket, MQTT 5",
    broker: "mosquitto",
    webSocket: true,
    protocolVersion: 5,
    version: 5,
    start: () => mosquitto("ws"),
  },
  {
    name: "Mosquitto, WebSocket, MQTT 3.1.1",
    broker: "mosquitto",
    webSocket: true,
    protocolVersion: 4,
    version: 4,
    start: () => mosquitto("ws"),
  },
  {
    name: "Mosquitto, TLS, MQTT 5",
    broker: "mosquitto",
    webSocket: false,
    protocolVersion: null,
    version: 5,
    start: () => mosquitto("mqtts"),
  },
  {
    name: "Mosquitto, WebSocket over TLS",
    broker: "mosquitto",
    webSocket: true,
    protocolVersion: null,
    version: 5,
    start: () => mosquitto("wss"),
  },
  { name: "Aedes", broker: "aedes", webSocket: false, protocolVersion: null, version: 4, start: () => aedes(false) },
  {
    name: "Aedes, WebSocket",
    broker: "aedes",
    webSocket: true,
    protocolVersion: null,
    version: 4,
    start: () => aedes(true),
  },
];
