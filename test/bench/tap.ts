/**
 * What a session can publish and receive, through a real Mosquitto on this machine, beside the client library alone. QoS 1,
 * 100 bytes. Receiving is measured on messages that the broker had queued, so that nobody publishes meanwhile.
 */
import { connect, connectAsync } from "mqtt";
import { type MessageAbout, MqttSession } from "../../src/mqtt/session.ts";
import { SessionRig } from "../mqtt/session-rig.ts";
import { TestMosquitto } from "../mqtt/test-mosquitto.ts";
import { until } from "../support/until.ts";

const COUNT = 50_000;
const ROUNDS = 3;
const WINDOW = 500;
const PAYLOAD = Buffer.alloc(100, "0123456789");
const TIMEOUT_MS = 60_000;
const TOPIC = "bench/some/topic";
const KEPT = { cleanStart: "never", expirySeconds: 600 } as const;

interface Result {
  readonly perSecond: number;
  /** Of this process, per message. */
  readonly cpuUs: number;
}

type Run = (broker: TestMosquitto, protocolVersion: 4 | 5) => Promise<Result>;

async function measured(work: () => Promise<void>): Promise<Result> {
  const cpu = process.cpuUsage();
  const beganMs = performance.now();
  await work();
  const tookMs = performance.now() - beganMs;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: (COUNT / tookMs) * 1_000, cpuUs: (user + system) / COUNT };
}

/** Calls `publish` COUNT times, WINDOW of them under way. */
function publishAll(publish: (done: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    let begun = 0;
    let done = 0;
    const next = (): void => {
      begun += 1;
      publish(() => {
        done += 1;
        if (done === COUNT) resolve();
        else if (begun < COUNT) next();
      });
    };
    for (let i = 0; i < WINDOW; i += 1) next();
  });
}

const sessionPublishes: Run = async ({ url }, protocolVersion) => {
  await using rig = await SessionRig.up({ urls: [url], endpoint: { protocolVersion } });
  const packet = { topic: TOPIC, payload: PAYLOAD, qos: 1, retain: false } as const;
  return await measured(() => publishAll((done) => rig.session.publish(packet, done)));
};

const libraryPublishes: Run = async ({ url }, protocolVersion) => {
  const client = await connectAsync(url, { protocolVersion });
  const result = await measured(() => publishAll((done) => void client.publish(TOPIC, PAYLOAD, { qos: 1 }, done)));
  await client.endAsync();
  return result;
};

/** Leaves COUNT messages waiting for this client. */
async function queueFor(clientId: string, url: string, protocolVersion: 4 | 5): Promise<void> {
  const away = await SessionRig.up({ urls: [url], clientId, session: KEPT, endpoint: { protocolVersion } });
  await away.subscribe(TOPIC);
  await away.session.stop(1_000);
  await using from = await SessionRig.up({ urls: [url] });
  const packet = { topic: TOPIC, payload: PAYLOAD, qos: 1, retain: false } as const;
  await publishAll((done) => from.session.publish(packet, done));
}

/** `late`: acknowledged at the end of the turn, the last one first. */
function sessionReceives(late: boolean): Run {
  return async ({ url }, protocolVersion) => {
    const clientId = `bench-session-${late}-${protocolVersion}`;
    await queueFor(clientId, url, protocolVersion);
    let got = 0;
    let open: MessageAbout[] = [];
    const release = (): void => {
      for (const { connection, packetId } of open.reverse()) session.acknowledge(connection, packetId);
      open = [];
    };
    const session = new MqttSession(
      {
        endpoint: { urls: [url], username: null, password: null, tls: null, protocolVersion },
        side: "local",
        clientId,
        session: KEPT,
        will: () => null,
        keepAliveSeconds: 20,
        bridge: false,
        ackByPing: true,
        acknowledge: late ? "later" : "at_return",
        random: Math.random,
      },
      {
        connected: () => {},
        disconnected: ({ reason }) => {
          throw new Error(reason);
        },
        message: (_topic, _payload, about) => {
          got += 1;
          if (!late) return;
          if (open.length === 0) setImmediate(release);
          open.push(about);
        },
      },
    );
    const result = await measured(async () => {
      session.start();
      await until("all arrive", () => got >= COUNT || `${got}`, TIMEOUT_MS);
    });
    await session.stop(1_000);
    return result;
  };
}

const libraryReceives: Run = async ({ url }, protocolVersion) => {
  const clientId = `bench-library-${protocolVersion}`;
  await queueFor(clientId, url, protocolVersion);
  const kept = protocolVersion === 5 ? { properties: { sessionExpiryInterval: 600, receiveMaximum: WINDOW } } : {};
  let got = 0;
  const client = connect(url, { clientId, clean: false, protocolVersion, ...kept });
  client.on("message", () => {
    got += 1;
  });
  const result = await measured(() => until("all arrive", () => got >= COUNT || `${got}`, TIMEOUT_MS));
  await client.endAsync();
  return result;
};

const RUNS: readonly (readonly [name: string, run: Run])[] = [
  ["publish, session", sessionPublishes],
  ["publish, library", libraryPublishes],
  ["receive, session", sessionReceives(false)],
  ["receive, session, late", sessionReceives(true)],
  ["receive, library", libraryReceives],
];

await using broker = await TestMosquitto.start((_dir, [port]) => [
  `listener ${port} 127.0.0.1`,
  "allow_anonymous true",
  "max_queued_messages 0",
  "max_inflight_messages 500",
]);
for (const protocolVersion of [4, 5] as const) {
  const results = new Map<string, Result[]>(RUNS.map(([name]) => [name, []]));
  // Turn about, because the machine's speed changes.
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, run] of RUNS) results.get(name)?.push(await run(broker, protocolVersion));
  }
  for (const [name, rounds] of results) {
    const [, middle] = rounds.sort((a, b) => a.perSecond - b.perSecond);
    const { perSecond = 0, cpuUs = 0 } = middle ?? {};
    console.log(
      `MQTT ${protocolVersion}  ${name.padEnd(24)}${Math.round(perSecond)} messages/s  ${cpuUs.toFixed(1)} µs CPU each`,
    );
  }
}
