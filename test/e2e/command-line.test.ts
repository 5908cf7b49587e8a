import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { repoRoot } from "../config/repo-root.ts";
import { Command, folderWith } from "./command.ts";

/** A listener that answers nothing, and counts who comes. */
async function deafListener(t: TestContext): Promise<{ readonly port: number; visitors(): number }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, visitors: () => sockets.size };
}

/** A port on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

test("exit codes: 0 fine, 64 bad usage, 78 bad configuration", async (t) => {
  const folder = folderWith(t, {
    "good.yaml": "cluster: a\nlocal: {server: 'mqtt://h', broker: mosquitto}\n",
    "bad.yaml": "cluster: a b\n",
    "latin.yaml": Uint8Array.from([...Buffer.from("cluster: a # "), 0xfc]),
    "bom.json": `\ufeff{"cluster":"a","local":{"server":"mqtt://h","broker":"mosquitto"}}`,
    "large.yaml": "#".repeat(5 * 1024 * 1024),
    "empty.yaml": "",
  });
  for (const [args, code, said] of [
    [["--version"], 0, /^\d+\.\d+\.\d+\n$/],
    [["--help"], 0, /^Usage/],
    [["check", "good.yaml"], 0, /^Cluster a\n/],
    [["check", "bom.json"], 0, /^Cluster a\n/],
    [["check", "bad.yaml"], 78, /^CONFIG_INVALID: 3 problems in /],
    [["check", "empty.yaml"], 78, /^CONFIG_INVALID: 3 problems in /],
    [["check", "none.yaml"], 78, /cannot read .*none\.yaml": ENOENT: no such file or directory\n$/],
    [["check", "."], 78, /cannot read .*: EISDIR: illegal operation on a directory\n$/],
    [["check", "latin.yaml"], 78, /cannot read .*: it is no text in UTF-8\n$/],
    [["check", "large.yaml"], 78, /cannot read .*: it is larger than 4194304 bytes\n$/],
    [["check", "/dev/zero"], 78, /cannot read "\/dev\/zero": it is larger than 4194304 bytes\n$/],
    [["run", "--config", "bad.yaml"], 78, /^CONFIG_INVALID: 3 problems in /],
    [["run", "--nonsense"], 64, /unknown option '--nonsense'/],
    [["nonsense"], 64, /unknown command 'nonsense'/],
    [[], 64, /^Usage/],
  ] as const) {
    const inFolder = args.map((arg) => (/\.(yaml|json)$|^\.$/.test(arg) ? join(folder, arg) : arg));
    const command = new Command(t, inFolder);
    assert.equal(await command.end(), code, `${args.join(" ")}: ${command.error}`);
    assert.match(code === 0 ? command.out : command.error, said, args.join(" "));
    assert.equal(code === 0 ? command.error : command.out, "", args.join(" "));
  }
});

test("the version is package.json's", async (t) => {
  const { version } = JSON.parse(readFileSync(new URL("package.json", repoRoot()), "utf8")) as { version: string };
  const command = new Command(t, ["-V"]);
  await command.end();
  assert.equal(command.out, `${version}\n`);
});

test("flags alone run an agent, and SIGTERM or SIGINT ends it with 0 though its brokers are away", async (t) => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const [local, far] = [await closedPort(), await closedPort()];
    const flags = ["--cluster", "a", "--local", `mqtt://127.0.0.1:${local}`, "--broker", "mosquitto"];
    const link = ["--link", `b=mqtt://127.0.0.1:${far}`, "--topics", "b=t/#,c/1"];
    const command = new Command(t, ["run", ...flags, ...link, "--http", "127.0.0.1:0"]);
    const port = await command.port();
    assert.equal((await fetch(`http://127.0.0.1:${port}/livez`)).status, 200);
    assert.equal((await fetch(`http://127.0.0.1:${port}/readyz`)).status, 503);
    const links = (await (await fetch(`http://127.0.0.1:${port}/api/v5/cluster/links`)).json()) as object[];
    assert.equal(links.length, 1);
    command.signal(signal);
    assert.equal(await command.end(), 0, command.error);
    assert.match(command.error, new RegExp(`"signal":"${signal}".*"stopping"`));
    assert.match(command.error, /"agent stopped"/);
    assert.equal(command.out, "", "stdout belongs to commands that print");
  }
});

test("an agent whose broker takes the connection and says nothing still stops", async (t) => {
  const broker = await deafListener(t);
  const flags = ["--cluster", "a", "--local", `mqtt://127.0.0.1:${broker.port}`, "--broker", "mosquitto"];
  const command = new Command(t, ["run", ...flags, "--http", "127.0.0.1:0"]);
  await command.port();
  command.signal("SIGTERM");
  assert.equal(await command.end(), 0, command.error);
});

test("SIGHUP reads the configuration again; where there is nothing new it leaves the agent as it is, and says so", async (t) => {
  const flags = ["--cluster", "a", "--local", `mqtt://127.0.0.1:${await closedPort()}`, "--broker", "aedes"];
  const command = new Command(t, ["run", ...flags, "--http", "127.0.0.1:0"]);
  const port = await command.port();
  await command.said(/agent started/);
  command.signal("SIGHUP");
  await command.said(/"why":"signal".*nothing changed/);
  assert.equal((await fetch(`http://127.0.0.1:${port}/livez`)).status, 200);
  command.signal("SIGTERM");
  assert.equal(await command.end(), 0);
});

test("nothing is opened before the configuration is right: no port, no connection", async (t) => {
  const broker = await deafListener(t);
  const taken = await deafListener(t);
  const flags = ["--cluster", "a", "--local", `mqtt://127.0.0.1:${broker.port}`, "--broker", "mosquitto"];
  const http = ["--http", `127.0.0.1:${taken.port}`];
  const bad = new Command(t, ["run", ...flags, ...http, "--link", "b", "--topics", "b=a/#/b"]);
  assert.equal(await bad.end(), 78, "not 1: the taken port was never tried");
  assert.match(bad.error, /links\[0\]\.topics\[0\]: filter "a\/#\/b" has # before its last level/);
  assert.equal(broker.visitors(), 0);
});

test("a taken HTTP port is HTTP_UNAVAILABLE and exit code 1, before any connection to a broker", async (t) => {
  const broker = await deafListener(t);
  const taken = await deafListener(t);
  const flags = ["--cluster", "a", "--local", `mqtt://127.0.0.1:${broker.port}`, "--broker", "mosquitto"];
  const command = new Command(t, ["run", ...flags, "--http", `127.0.0.1:${taken.port}`]);
  assert.equal(await command.end(), 1);
  assert.match(
    command.error,
    new RegExp(`HTTP_UNAVAILABLE: cannot listen on 127\\.0\\.0\\.1:${taken.port}: .*EADDRINUSE`),
  );
  assert.doesNotMatch(command.error, /at .*\.js:\d+/, "a failure that we know shows no stack");
  assert.equal(broker.visitors(), 0);
});

test("file, environment and flags meet in one agent, secrets stay out of its log, and warnings are in it", async (t) => {
  const folder = folderWith(t, {
    "agent.yaml": `cluster: from-file\nlocal: {server: "mqtt://127.0.0.1:${await closedPort()}", broker: mosquitto, username: u, password_file: pw}\nhttp: {port: 0}\nlog: {level: error}\n`,
    pw: "hunter2\n",
  });
  const env = {
    BROKERLINK_LOG__LEVEL: "warn",
    BROKERLINK_LINKS__0__NAME: "b",
    BROKERLINK_LINKS__0__SERVER: "mqtt://h.invalid",
    BROKERLINK_LINKS__0__PASSWORD: "hunter3",
  };
  const command = new Command(
    t,
    ["run", "--config", join(folder, "agent.yaml"), "--cluster", "from-flag", "--log-level", "trace"],
    env,
  );
  const port = await command.port();
  await command.said(/the password travels to mqtt:\/\/h\.invalid:1883/);
  await command.said(/"cluster":"from-flag".*"agent started"/);
  const links = (await (await fetch(`http://127.0.0.1:${port}/api/v5/cluster/links`)).json()) as { name: string }[];
  assert.deepEqual(
    links.map(({ name }) => name),
    ["b"],
  );
  assert.ok(!JSON.stringify(links).includes("hunter"), JSON.stringify(links));
  command.signal("SIGTERM");
  assert.equal(await command.end(), 0);
  assert.ok(!command.error.includes("hunter"), command.error);
});
