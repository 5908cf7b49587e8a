import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MosquittoRig } from "./mosquitto-rig.ts";

function connected(...clients: string[]): MosquittoRig {
  const rig = new MosquittoRig().ready();
  for (const client of clients) rig.connect(client);
  rig.sink.take();
  return rig;
}

describe("connect lines", () => {
  test("the flags say what becomes of the rows", () => {
    for (const [flags, meaning] of [
      ["p1, c1, k60", "clean dies"],
      ["p2, c1, k0", "clean dies"],
      ["p3, c1, k60", "clean dies"],
      ["p4, c1, k60, u'adm'", "clean dies"],
      ["p1, c0, k60", "kept stays"],
      ["p2, c0, k65535", "kept stays"],
      ["p3, c0, k60", "kept stays"],
      ["p4, c0, k60, u''", "kept stays"],
      ["p5, c1, k60", "clean ?"],
      ["p5, c0, k60, u'x y'", "kept ?"],
      ["p9, c1, k60", "clean ?"],
    ] as const) {
      const rig = new MosquittoRig().ready();
      rig.connect("c", flags);
      assert.deepEqual(rig.sink.take(), [`up c ${meaning}`], flags);
    }
  });

  test("IPv6 and missing addresses do not matter", () => {
    const rig = new MosquittoRig().ready();
    rig.notice("New client connected from ::1:40000 as a (p2, c1, k60).");
    rig.notice("New client connected from fe80::1%eth0:1 as b as c (p2, c1, k60).");
    rig.notice("New client connected from (null):0 as d (p2, c1, k60).");
    assert.deepEqual(rig.sink.take(), ["up a clean dies", "up b as c clean dies", "up d clean dies"]);
  });

  test("an id that looks like flags is read whole", () => {
    const rig = new MosquittoRig().ready();
    rig.connect("victim (p2, c1, k60).", "p5, c0, k60");
    rig.connect("victim (p2, c1, k60)", "p2, c0, k60");
    rig.connect("victim (p2, c1, k60, u'x", "p2, c0, k60");
    rig.connect("victim (p2, c1, k60, u'x').", "p2, c0, k60");
    assert.deepEqual(rig.sink.take(), [
      "up victim (p2, c1, k60). kept ?",
      "up victim (p2, c1, k60) kept stays",
      "up victim (p2, c1, k60, u'x kept stays",
      "up victim (p2, c1, k60, u'x'). kept stays",
    ]);
  });

  test("a user name that looks like flags wipes nobody's rows", () => {
    const rig = connected("victim");
    rig.connect("victim (p2, c1, k60, u'x", "p2, c1, k60, u'y'");
    assert.deepEqual(rig.sink.take(), ["down victim (p2, c1, k60, u'x"]);
    assert.deepEqual(rig.sink.oddities, ["ambiguous"]);
  });

  test("a connect line in a form we do not know makes the rows it may have wiped doubtful", () => {
    const rig = connected("c");
    rig.notice("New client connected from 127.0.0.1:1 as c (v5, clean).");
    assert.deepEqual(rig.sink.take(), []);
    rig.notice("New client connected from 127.0.0.1:1 as d (x (v5, clean).");
    assert.deepEqual(rig.sink.take(), ["down d", "down d (x"]);
    rig.notice("New client connected from 127.0.0.1:1 as  (p2, c1, k60).");
    assert.deepEqual(rig.sink.take(), []);
    assert.deepEqual(rig.sink.oddities, ["unparsable", "unparsable", "unparsable"]);
    rig.notice(`New client connected from 127.0.0.1:1 as ${"x (".repeat(33)}.`);
    assert.deepEqual(rig.sink.take(), ["gap events_unparsable"]);
  });
});

describe("ends of connections", () => {
  const ENDS = [
    " disconnected.",
    " closed its connection.",
    " has exceeded timeout, disconnecting.",
    " disconnected due to protocol error.",
    " disconnected due to malformed packet.",
    " disconnected due to oversize packet.",
    " disconnected due to something new.",
    " disconnected, not authorised.",
    " disconnected, session taken over.",
    " disconnected: Connection reset by peer.",
    " been disconnected by administrative action.",
    " has been disconnected by administrative action.",
  ];

  test("every known form ends the connection, of odd ids too", () => {
    for (const end of ENDS) {
      for (const id of ["c", "x y", "a disconnected.", "a closed its connection.", "a disconnected due to b", "(p2"]) {
        const rig = connected("c", "a", "x", id);
        rig.notice(`Client ${id}${end}`);
        assert.deepEqual(rig.sink.take(), [`down ${id}`], id + end);
      }
    }
  });

  test("an id that ends like a kick's first word is not confused with another", () => {
    const rig = connected("victim", "victim has");
    rig.notice("Client victim has been disconnected by administrative action.");
    assert.deepEqual(rig.sink.take(), []);
    assert.deepEqual(rig.sink.oddities, ["ambiguous"]);
  });

  test("an expired session ends", () => {
    const rig = connected();
    rig.notice("Expiring client gone by due to timeout. due to timeout.");
    assert.deepEqual(rig.sink.take(), ["end gone by due to timeout."]);
  });

  test("sockets without a CONNECT and lines of other kinds say nothing", () => {
    const rig = connected("c");
    for (const line of [
      "Client <unknown> closed its connection.",
      "Client <unknown> disconnected, not authorised.",
      "Client <unknown> disconnected due to protocol error.",
      "Bad client c sending multiple CONNECT messages.",
      "Client connection from 127.0.0.1 failed: error:1408F10B.",
      "Saving in-memory database to /tmp/x.",
      "Client c",
      "Client ",
      "Client  disconnected",
      "New connection from",
      "New client",
      "Expiring client",
      "Outgoing messages are being dropped for client c.",
      "",
    ]) {
      rig.notice(line);
      rig.error(line);
      assert.deepEqual(rig.sink.take(), [], line);
    }
  });

  test("messages dropped for the events session itself are a gap", () => {
    const rig = connected();
    rig.notice("Outgoing messages are being dropped for client OBSERVER.");
    assert.deepEqual(rig.sink.take(), ["gap events_dropped"]);
  });
});
