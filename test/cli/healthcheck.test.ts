import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import { type TestContext, test } from "node:test";
import { freePorts } from "../support/free-ports.ts";
import { runHere } from "./fake-terminal.ts";

/** An agent as far as this command sees one: it lives, and is not ready. Answers its port. */
async function listener(t: TestContext, host = "127.0.0.1"): Promise<number> {
  const server: Server = createServer((request, response) => {
    response.statusCode = request.url === "/livez" ? 200 : 503;
    response.end(request.url === "/livez" ? "ok\n" : "not ready\nno session data: refused\n");
  });
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

test("an agent that answers /livez is fine, ready or not", async (t) => {
  const port = await listener(t);
  assert.deepEqual(await runHere(["healthcheck", "--http", `127.0.0.1:${port}`]), { code: 0, out: "ok\n", error: "" });
});

test("--ready asks /readyz, and says what it answers", async (t) => {
  const port = await listener(t);
  const { code, out, error } = await runHere(["healthcheck", "--ready", "--http", `127.0.0.1:${port}`]);
  assert.deepEqual([code, out], [1, ""]);
  assert.equal(error, `http://127.0.0.1:${port}/readyz answers 503: not ready\nno session data: refused\n`);
});

test("the environment says where the agent listens; who listens everywhere is asked on loopback", async (t) => {
  const port = await listener(t, "0.0.0.0");
  const env = { BROKERLINK_HTTP__HOST: "0.0.0.0", BROKERLINK_HTTP__PORT: String(port) };
  assert.equal((await runHere(["healthcheck"], { env })).code, 0);
  const [other] = await freePorts(1);
  const { code, error } = await runHere(["healthcheck", "--http", `127.0.0.1:${other}`], { env });
  assert.equal(code, 1, "the flag wins");
  assert.match(error, new RegExp(`^http://127\\.0\\.0\\.1:${other}/livez does not answer: .*ECONNREFUSED`));
});
