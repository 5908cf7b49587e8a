/**
 * A cluster that runs from files that the chart rendered: the real Mosquitto with the rendered mosquitto.conf and access list, and the
 * real agent with the rendered brokerlink.yaml. Only places change: folders of the pod lie below one of the test, and ports are free ones.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { freePort } from "../contract/local-mosquitto.ts";
import { AgentProcess } from "../e2e/agent-process.ts";
import { type ClientOptions, TestClient } from "../e2e/test-client.ts";
import { LineBuffer } from "../support/line-buffer.ts";
import { until } from "../support/until.ts";
import { configText, only, render } from "./rendering.ts";

const MOSQUITTO = "/usr/sbin/mosquitto";
/** Where the pod has what is not in the image. */
const POD_FOLDERS = /\/(?=(?:mosquitto|run\/brokerlink|var\/lib\/brokerlink)\/)/g;

/** Users of this cluster's broker, and the secrets of its agent, by the names that the values use. */
export interface SiteSecrets {
  readonly users: Readonly<Record<string, string>>;
  readonly agent: Readonly<Record<string, string>>;
}

export class RenderedSite {
  readonly name: string;
  readonly log = new LineBuffer(400);
  readonly #root = mkdtempSync(join(tmpdir(), "brokerlink-rendered-"));
  readonly #users: SiteSecrets["users"];
  readonly #mosquittoConf: string;
  readonly #config: Record<string, unknown>;
  readonly #clients: TestClient[] = [];
  readonly #port: number;
  #broker: ChildProcess | null = null;
  #agent: AgentProcess | null = null;

  private constructor(name: string, values: string, secrets: SiteSecrets, port: number) {
    this.name = name;
    this.#users = secrets.users;
    this.#port = port;
    const objects = render(values, { release: name });
    this.#write("mosquitto/acl/acl", (only(objects, "Secret", "-acl")["stringData"] as { acl: string }).acl);
    this.#write("mosquitto/auth/passwords", "");
    const passwords = join(this.#root, "mosquitto/auth/passwords");
    for (const [user, password] of Object.entries(secrets.users)) {
      execFileSync("mosquitto_passwd", ["-b", passwords, user, password], { stdio: "pipe" });
    }
    for (const [key, text] of Object.entries(secrets.agent)) this.#write(`run/brokerlink/secrets/${key}`, text);
    for (const volume of ["mosquitto/data", "var/lib/brokerlink"])
      mkdirSync(join(this.#root, volume), { recursive: true });
    // As root Mosquitto would become another user, who may not read these files.
    this.#mosquittoConf = `${this.#placed(configText(objects, "mosquitto.conf"))}\nuser root\n`;
    this.#config = parse(this.#placed(configText(objects, "brokerlink.yaml")));
  }

  /** `values`: name of a file, whose release is called like the cluster. Nothing runs yet. */
  static async prepare(name: string, values: string, secrets: SiteSecrets): Promise<RenderedSite> {
    return new RenderedSite(name, values, secrets, await freePort());
  }

  get port(): number {
    return this.#port;
  }

  get agent(): AgentProcess {
    if (this.#agent === null) throw new Error(`cluster ${this.name} has no agent yet`);
    return this.#agent;
  }

  async startBroker(): Promise<void> {
    const text = this.#mosquittoConf.replace(/^listener 1883$/m, `listener ${this.#port} 127.0.0.1`);
    const file = this.#write("mosquitto/config/mosquitto.conf", text);
    const child = spawn(MOSQUITTO, ["-c", file], { stdio: ["ignore", "ignore", "pipe"] });
    this.#broker = child;
    this.log.follow(child.stderr);
    await until(`Mosquitto ${this.name} takes clients`, async () => {
      if (child.exitCode !== null) throw new Error(`Mosquitto ended at once:\n${this.log.tail(20)}`);
      try {
        await (await this.#connect({})).end();
        return true;
      } catch (error) {
        return String(error);
      }
    });
  }

  async stopBroker(): Promise<void> {
    const child = this.#broker;
    this.#broker = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill("SIGTERM");
    await ended;
  }

  /** Resolves when it serves HTTP. `peer`: what the address of its link leads to. */
  async startAgent(peer: { readonly name: string; readonly url: string }): Promise<void> {
    this.#agent ??= new AgentProcess({
      cluster: this.name,
      local: `mqtt://127.0.0.1:${this.#port}`,
      links: { [peer.name]: peer.url },
      config: this.#config,
    });
    await this.#agent.start();
  }

  /** As `app`, with the rights that the values give it. */
  async client(options: ClientOptions = {}): Promise<TestClient> {
    const client = await this.#connect(options);
    this.#clients.push(client);
    return client;
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map(({ client }) => client.endAsync(true)));
    await this.#agent?.dispose();
    await this.stopBroker();
    rmSync(this.#root, { recursive: true, force: true });
  }

  /** For the message of a failure. */
  tail(count: number): string {
    return `--- agent ${this.name}\n${this.#agent?.log.tail(count)}\n--- broker ${this.name}\n${this.log.tail(count)}`;
  }

  #connect(options: ClientOptions): Promise<TestClient> {
    const { username = "app" } = options.more ?? {};
    const password = this.#users[username] ?? "";
    return TestClient.connect(`mqtt://127.0.0.1:${this.#port}`, { ...options, more: { username, password } });
  }

  /** Paths of the pod, as they are here. */
  #placed(text: string): string {
    return text.replaceAll(POD_FOLDERS, `${this.#root}/`);
  }

  #write(path: string, text: string): string {
    const file = join(this.#root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  }
}
