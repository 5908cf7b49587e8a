import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { LocalMosquitto } from "../contract/local-mosquitto.ts";
import { EVENT_LINES } from "../e2e/site.ts";
import { dockerfile, imageNodeOptions } from "../support/dockerfile.ts";
import { freePorts } from "../support/free-ports.ts";
import { LineBuffer } from "../support/line-buffer.ts";
import { MemoryCage } from "../support/memory-cage.ts";
import { IMAGE_NODE, newerNode } from "../support/newer-node.ts";
import { until } from "../support/until.ts";
import { IMAGE_USER, ImageRoot } from "./image-root.ts";

const MIB = 2 ** 20;
/** The app alone, without Node and its libraries. */
const APP_MIB_MAX = 24;
const ENTRYPOINT = JSON.parse(/^ENTRYPOINT (\[.*\])$/m.exec(dockerfile())?.[1] ?? "[]") as string[];
const COMMAND = JSON.parse(/^CMD (\[.*\])$/m.exec(dockerfile())?.[1] ?? "[]") as string[];
const HEALTHCHECK = JSON.parse(/^HEALTHCHECK [\s\S]*?CMD (\[.*\])$/m.exec(dockerfile())?.[1] ?? "[]") as string[];
const ENVIRONMENT = { NODE_ENV: "production", NODE_OPTIONS: imageNodeOptions() };

describe("the image's file tree", { concurrency: false }, () => {
  const log = new LineBuffer(200);
  let [config, httpPort] = ["", 0];
  let broker: LocalMosquitto;
  let image: ImageRoot;
  let agent: ChildProcess | null = null;

  before(async () => {
    broker = await LocalMosquitto.start(EVENT_LINES);
    config = mkdtempSync(join(tmpdir(), "brokerlink-image-config-"));
    const [port = 0] = await freePorts(1);
    httpPort = port;
    const text = { cluster: "a", local: { server: broker.url, broker: "mosquitto" }, http: { port } };
    writeFileSync(join(config, "brokerlink.yaml"), JSON.stringify({ ...text, links: [{ name: "b" }] }), {
      mode: 0o644,
    });
    spawnSync("chmod", ["755", config]);
    image = ImageRoot.build(config);
    console.log(`the image runs in ${image.how}`);
  });
  after(async () => {
    agent?.kill("SIGKILL");
    image?.remove();
    rmSync(config, { recursive: true, force: true });
    await broker?.stop();
  });

  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}): ReturnType<typeof spawnSync> => {
    const [program = "", ...rest] = image.command(args);
    return spawnSync(program, rest, { encoding: "utf8", env: { ...process.env, ...ENVIRONMENT, ...env } });
  };

  test("has what the command needs, and nothing of what only building needs", () => {
    const modules = readdirSync(join(image.folder, "app", "node_modules"));
    assert.ok(modules.includes("mqtt"));
    const strays = ["typescript", "kubernetes-models", "helm3", "@biomejs", "@aws-cdk", "fast-check"];
    assert.deepEqual(
      strays.filter((name) => modules.includes(name)),
      [],
    );
    const found = readdirSync(join(image.folder, "app"), { recursive: true }).map(String);
    const native = found.filter((path) => path.endsWith(".node"));
    assert.deepEqual(native, [], "it is built once, for all kinds of processors");
    const bytes = found.reduce((sum, path) => {
      const stats = statSync(join(image.folder, "app", path));
      return sum + (stats.isFile() ? stats.size : 0);
    }, 0);
    assert.ok(bytes < APP_MIB_MAX * MIB, `${(bytes / MIB).toFixed(1)} MiB`);
  });

  test("names its version, and shows its help, as the image's user", () => {
    const version = run([...ENTRYPOINT, "--version"]);
    assert.deepEqual(
      [version.status, String(version.stdout).trim()],
      [0, JSON.parse(readFileSync(join(image.folder, "app/package.json"), "utf8")).version],
      String(version.stderr),
    );
  });

  test("its user can write to the volume and to nothing else", () => {
    const script = `const { writeFileSync } = require("node:fs");
      const answers = process.argv.slice(1).map((path) => {
        try { writeFileSync(path + "/probe", "x"); return "written"; } catch (error) { return error.code; }
      });
      console.log(JSON.stringify([process.getuid(), answers]));`;
    const paths = ["/", "/app", "/app/dist", "/etc/brokerlink", "/var/lib/brokerlink"];
    const answer = run([ENTRYPOINT[0] ?? "", "-e", script, ...paths]);
    const [user, answers] = JSON.parse(String(answer.stdout)) as [number, string[]];
    assert.notEqual(user, 0);
    assert.deepEqual(
      answers.slice(0, -1).filter((word) => word !== "EROFS" && word !== "EACCES"),
      [],
      answers.join(),
    );
    if (!image.mounted) return;
    assert.deepEqual([user, answers.at(-1)], [IMAGE_USER, "written"]);
  });

  test("the health check fails while nothing runs", () => {
    const { status, stderr } = run(HEALTHCHECK, { BROKERLINK_HTTP__PORT: String(httpPort) });
    assert.equal(status, 1);
    assert.match(String(stderr), /\/livez does not answer/);
  });

  test("the image's own command starts the agent, which becomes ready beside a broker", async () => {
    const [program = "", ...rest] = image.command([...ENTRYPOINT, ...COMMAND]);
    const data = image.mounted ? { BROKERLINK_DATA_DIR: "/var/lib/brokerlink/data" } : {};
    const child = spawn(program, rest, {
      env: { PATH: process.env["PATH"], ...ENVIRONMENT, ...data },
      stdio: ["ignore", "ignore", "pipe"],
    });
    agent = child;
    log.follow(child.stderr);
    await until(
      "the agent is ready",
      async () => {
        if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}:\n${log.tail(20)}`);
        const answer = await fetch(`http://127.0.0.1:${httpPort}/readyz`).catch((error: Error) => error);
        return answer instanceof Error ? answer.message : answer.status === 200 || `${answer.status}\n${log.tail(5)}`;
      },
      20_000,
    );
    const user = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1];
    if (image.mounted) assert.equal(Number(user), IMAGE_USER);
  });

  test("the health check passes while it runs", () => {
    const { status, stderr } = run(HEALTHCHECK, { BROKERLINK_HTTP__PORT: String(httpPort) });
    assert.equal(status, 0, String(stderr));
  });

  test("SIGTERM reaches it, and it ends well", async () => {
    const child = agent;
    assert.ok(child !== null);
    child.kill("SIGTERM");
    await until("it ends", () => child.exitCode !== null, 20_000);
    assert.equal(child.exitCode, 0, log.tail(20));
  });
});

test("the Dockerfile's builder has no complaint from a linter", async () => {
  const { validate } = await import("dockerfile-utils");
  assert.deepEqual(
    validate(dockerfile()).map(({ message, range }) => `${range.start.line + 1}: ${message}`),
    [],
  );
});

test("the image has a numeric user, an entry point without a shell, labels, and build arguments for other processors", () => {
  const text = dockerfile();
  assert.match(text, new RegExp(`^USER ${IMAGE_USER}:${IMAGE_USER}$`, "m"));
  assert.match(text, new RegExp(`^ARG NODE_VERSION=${IMAGE_NODE}$`, "m"));
  assert.match(text, /^FROM --platform=\$BUILDPLATFORM /m);
  assert.match(text, /^FROM gcr\.io\/distroless\/nodejs\$\{NODE_VERSION\}-debian\$\{DEBIAN_VERSION\}:nonroot$/m);
  for (const label of ["title", "description", "licenses", "version", "revision", "created"]) {
    assert.ok(text.includes(`org.opencontainers.image.${label}=`), label);
  }
});

test("nothing that the package ships is kept from the builder", () => {
  const ignored = readFileSync(new URL("../../../.dockerignore", import.meta.url), "utf8")
    .trim()
    .split("\n");
  const { files } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as {
    files: string[];
  };
  assert.deepEqual(
    files.filter((name) => name !== "dist" && ignored.includes(name)),
    [],
  );
});

test("Node keeps to half of a container's memory, which it does not by itself", async (t) => {
  const limitMib = 192;
  const heapMib = (launcher: readonly string[], options: string): number => {
    const script = "require('node:v8').getHeapStatistics().heap_size_limit / 2 ** 20";
    const [program = "", ...rest] = [...launcher, newerNode(), "-p", script];
    const { stdout, stderr } = spawnSync(program, rest, { encoding: "utf8", env: { NODE_OPTIONS: options } });
    assert.notEqual(stdout, "", stderr);
    return Number(stdout);
  };
  const cage = MemoryCage.open("heap", limitMib * MIB, (reason) => t.diagnostic(reason));
  if (cage === null) {
    // No control groups here: then the limit that Node sees is the machine's memory, and half of that it is.
    const machine = Number(/MemTotal:\s+(\d+) kB/.exec(readFileSync("/proc/meminfo", "utf8"))?.[1]) / 1_024;
    assert.ok(Math.abs(heapMib([], imageNodeOptions()) - machine / 2) < 64);
    return;
  }
  try {
    const [limited, alone] = [heapMib(cage.launcher, imageNodeOptions()), heapMib(cage.launcher, "")];
    assert.ok(limited <= limitMib / 2 + 16, `${limited} MiB with the image's options`);
    assert.ok(alone > limitMib, `${alone} MiB without: the options may not be needed any more`);
  } finally {
    await cage.close();
  }
});
