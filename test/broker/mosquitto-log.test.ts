import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { READINGS_MAX } from "../../src/broker/mosquitto-log.ts";
import { MosquittoRig } from "./mosquitto-rig.ts";

function connected(...clients: string[]): MosquittoRig {
  const rig = new MosquittoRig().ready();
  for (const client of clients) rig.connect(client);
  rig.sink.take();
  return rig;
}

describe("subscribe lines", () => {
  test("a known id decides between two readings", () => {
    const rig = connected("X 1 evil/topic");
    rig.sub("X 1 evil/topic 2 real/topic");
    assert.deepEqual(rig.sink.take(), ["+X 1 evil/topic real/topic"]);
    const other = connected("X");
    other.sub("X 1 evil/topic 2 real/topic");
    assert.deepEqual(other.sink.take(), ["+X evil/topic 2 real/topic"]);
    assert.deepEqual([...rig.sink.oddities, ...other.sink.oddities], []);
  });

  test("two known ids leave both readings, and neither proves anything", () => {
    const rig = connected("X", "X 1 evil/topic");
    rig.sub("X 1 evil/topic 2 real/topic");
    assert.deepEqual(rig.sink.take(), ["+X evil/topic 2 real/topic ?", "+X 1 evil/topic real/topic ?"]);
    assert.deepEqual(rig.sink.oddities, ["ambiguous"]);
  });

  test("without a known id every valid reading is kept as uncertain", () => {
    const rig = connected();
    rig.sub("a 1 b 2 c/#/d 0 e");
    assert.deepEqual(rig.sink.take(), ["+a 1 b 2 c/#/d e"].concat([]).length === 1 ? ["up a 1 b 2 c/#/d ? ?", "+a 1 b 2 c/#/d e"] : []);
    rig.sub("a 1 b 2 c");
    assert.deepEqual(rig.sink.take(), ["+a b 2 c ?", "+a 1 b c ?"]);
  });

  test("an unknown id with one reading is certain: we came late, and nobody says what becomes of its session", () => {
    const rig = connected();
    rig.sub("late 1 a/b");
    rig.sub("late 0 a/c");
    assert.deepEqual(rig.sink.take(), ["up late ? ?", "+late a/b", "+late a/c"]);
  });

  test("ids and filters with odd spaces keep them", () => {
    const rig = connected(" lead", "trail ", "two  spaces");
    rig.sub(" lead 1 x");
    rig.sub("trail  1 x");
    rig.sub("two  spaces 2  lead/trail ");
    assert.deepEqual(rig.sink.take(), ["+ lead x", "+trail  x", "+two  spaces  lead/trail "]);
  });

  test("a line without a valid reading makes the table incomplete", () => {
    for (const line of ["", " ", "a", "a 3 b", "a 1", "a 1 ", "a 1 b/#/c", "a 1 b+", " 1 x", "a 1 $share/g"]) {
      const rig = connected("a");
      rig.sub(line);
      assert.deepEqual(rig.sink.take(), ["gap events_unparsable"], line);
      assert.deepEqual(rig.sink.oddities, ["unparsable"], line);
    }
  });

  test("more readings than anybody needs make the table incomplete instead of filling it", () => {
    const rig = connected();
    rig.sub(`a${" 1 b".repeat(READINGS_MAX)}`);
    assert.equal(rig.sink.take().length, READINGS_MAX);
    rig.sub(`a${" 1 b".repeat(READINGS_MAX + 1)}`);
    assert.deepEqual(rig.sink.take(), ["gap events_unparsable"]);
  });
});

describe("unsubscribe lines", () => {
  test("a known id decides; two known ids or none remove nothing for certain", () => {
    const rig = connected("a b");
    rig.unsub("a b c d");
    assert.deepEqual(rig.sink.take(), ["-a b c d"]);
    rig.connect("a");
    rig.sink.take();
    rig.unsub("a b c d");
    assert.deepEqual(rig.sink.take(), ["-a b c d ?", "-a b c d ?"]);
    rig.unsub("x y z");
    assert.deepEqual(rig.sink.take(), ["-x y z ?", "-x y z ?"]);
    rig.unsub("late a/b");
    assert.deepEqual(rig.sink.take(), ["up late ? ?", "-late a/b"]);
  });

  test("a client that has gone is no candidate any more", () => {
    const rig = connected("a", "a b");
    rig.notice("Client a disconnected.");
    rig.sink.take();
    rig.unsub("a b c");
    assert.deepEqual(rig.sink.take(), ["-a b c"]);
  });
});

describe("cut lines", () => {
  const cutAt = (line: string): string => line.slice(0, 999);

  test("the whole levels of a cut filter cover it, and prove nothing", () => {
    const rig = connected("c");
    rig.sub(cutAt(`c 1 a/b/${"x".repeat(1200)}/END`));
    rig.sub(cutAt(`c 1 $share/g/a/${"x".repeat(1200)}`));
    rig.sub(cutAt(`c 1 $share/${"g".repeat(1200)}/a`));
    rig.sub(cutAt(`c 1 ${"x".repeat(1200)}/a`));
    assert.deepEqual(rig.sink.take(), ["+c a/b/# ?", "+c $share/g/a/# ?", "+c # ?", "+c # ?"]);
    assert.deepEqual(rig.sink.oddities, ["cut", "cut", "cut", "cut"]);
  });

  test("a cut unsubscribe removes nothing", () => {
    const rig = connected("c");
    rig.unsub(cutAt(`c a/b/${"x".repeat(1200)}`));
    assert.deepEqual(rig.sink.take(), ["-c a/b/# ?"]);
  });

  test("997 bytes are a whole line, 998 may not be", () => {
    const rig = connected("c");
    const whole = `c 1 a/${"x".repeat(997 - 6)}`;
    rig.sub(whole);
    rig.sub(`${whole}x`);
    assert.deepEqual(rig.sink.take(), [`+c ${whole.slice(4)}`, "+c a/# ?"]);
  });

  test("a character cut in two is left out", () => {
    for (const pad of [0, 1, 2, 3]) {
      const rig = connected("c");
      const bytes = Buffer.from(`c 1 a/${"x".repeat(pad)}${"😀".repeat(300)}`).subarray(0, 999);
      rig.raw("$SYS/broker/log/M/subscribe", bytes);
      assert.deepEqual(rig.sink.take(), ["+c a/# ?"]);
    }
  });

  test("an id longer than the line may be anybody's: the table is incomplete", () => {
    const rig = connected();
    rig.sub(cutAt(`a 1 b/${"x".repeat(1200)} 1 real`));
    assert.deepEqual(rig.sink.take(), ["+a b/# ?", "gap events_unparsable"]);
    rig.sub(cutAt("x".repeat(1200)));
    assert.deepEqual(rig.sink.take(), ["gap events_unparsable"]);
  });

  test("a cut connect line makes the sessions it may belong to doubtful, and no others", () => {
    const long = "x".repeat(970);
    const rig = connected("short", long, `${long.slice(0, 960)}y`);
    rig.notice(cutAt(`New client connected from 127.0.0.1:1 as ${long}${"x".repeat(500)} (p2, c0, k60).`));
    assert.deepEqual(rig.sink.take(), [`up ${long} ? ?`]);
    rig.notice(cutAt(`New client connected from 127.0.0.1:1 as short (p2, c0, k60, u'${"u".repeat(1000)}').`));
    assert.deepEqual(rig.sink.take(), ["up short ? ?"]);
  });

  test("a cut notice ends nobody", () => {
    const id = "y".repeat(999 - "Client ".length - " disconnected.".length);
    const rig = connected(id);
    rig.notice(`Client ${id} disconnected.`);
    assert.deepEqual(rig.sink.take(), []);
  });
});

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
    assert.deepEqual(rig.sink.take(), ["up victim ? ?", "up victim (p2, c1, k60, u'x ? ?"]);
    assert.deepEqual(rig.sink.oddities, ["ambiguous"]);
  });

  test("a connect line in a form we do not know makes the session doubtful", () => {
    const rig = connected("c");
    rig.notice("New client connected from 127.0.0.1:1 as c (v5, clean).");
    assert.deepEqual(rig.sink.take(), ["up c ? ?"]);
    rig.notice("New client connected from 127.0.0.1:1 as d (v5, clean).");
    assert.deepEqual(rig.sink.take(), []);
    assert.deepEqual(rig.sink.oddities, ["unparsable", "unparsable"]);
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

describe("takeovers", () => {
  test("2.0: an E line ends the old connection, then the new one begins", () => {
    const rig = connected("c");
    rig.error("Client c already connected, closing old connection.");
    rig.connect("c", "p2, c0, k60");
    rig.sub("c 1 x");
    rig.notice("Client c closed its connection.");
    assert.deepEqual(rig.sink.take(), ["down c", "up c kept stays", "+c x", "down c"]);
  });

  test("later versions print no E line, and print the end also for an offline session", () => {
    const rig = connected();
    rig.notice("Client v5rk disconnected, session taken over.");
    rig.connect("v5rk", "p5, c0, k60");
    rig.sub("v5rk 1 x");
    assert.deepEqual(rig.sink.take(), ["down v5rk", "up v5rk kept ?", "+v5rk x"]);
  });

  const overWebSocket = (rig: MosquittoRig, client: string, port: number): void => {
    rig.notice(`New client connected from ::ffff:127.0.0.1:${port} as ${client} (p2, c1, k60).`);
  };
  const takeOver = (rig: MosquittoRig, client: string): void => {
    rig.error(`Client ${client} already connected, closing old connection.`);
  };

  test("a WebSocket taken over owes one close line, whatever came after it", () => {
    const rig = connected();
    overWebSocket(rig, "ws", 1);
    takeOver(rig, "ws");
    rig.connect("ws");
    rig.sub("ws 1 x");
    rig.sink.take();
    rig.notice("Client ws closed its connection.");
    assert.deepEqual(rig.sink.take(), []);
    rig.notice("Client ws closed its connection.");
    assert.deepEqual(rig.sink.take(), ["down ws"]);
  });

  test("two takeovers owe two close lines", () => {
    const rig = connected();
    overWebSocket(rig, "ws", 1);
    takeOver(rig, "ws");
    overWebSocket(rig, "ws", 2);
    takeOver(rig, "ws");
    overWebSocket(rig, "ws", 3);
    rig.sink.take();
    for (const _ of [1, 2]) rig.notice("Client ws closed its connection.");
    assert.deepEqual(rig.sink.take(), []);
    rig.notice("Client ws closed its connection.");
    assert.deepEqual(rig.sink.take(), ["down ws"]);
  });

  test("a TCP connection taken over owes none, and a clean DISCONNECT is never stale", () => {
    const rig = connected("c");
    takeOver(rig, "c");
    overWebSocket(rig, "c", 1);
    rig.sink.take();
    rig.notice("Client c closed its connection.");
    assert.deepEqual(rig.sink.take(), ["down c"]);
    overWebSocket(rig, "c", 2);
    takeOver(rig, "c");
    overWebSocket(rig, "c", 3);
    rig.sink.take();
    rig.notice("Client c disconnected.");
    assert.deepEqual(rig.sink.take(), ["down c"]);
  });

  test("an IPv4-mapped address that was announced as a connection is TCP", () => {
    const rig = connected();
    rig.notice("New connection from ::ffff:127.0.0.1:9 on port 1883.");
    overWebSocket(rig, "c", 9);
    takeOver(rig, "c");
    rig.connect("c");
    rig.sink.take();
    rig.notice("Client c closed its connection.");
    assert.deepEqual(rig.sink.take(), ["down c"]);
  });

  test("a stale close that comes before the new connection's line swallows nothing later", () => {
    const rig = connected();
    overWebSocket(rig, "ws", 1);
    takeOver(rig, "ws");
    rig.notice("Client ws closed its connection.");
    overWebSocket(rig, "ws", 2);
    rig.sink.take();
    rig.notice("Client ws closed its connection.");
    assert.deepEqual(rig.sink.take(), ["down ws"]);
  });

  test("a close long after the takeover is the real end", () => {
    const rig = connected();
    overWebSocket(rig, "ws", 1);
    takeOver(rig, "ws");
    overWebSocket(rig, "ws", 2);
    rig.sink.take();
    rig.nowMs += 10_001;
    rig.notice("Client ws closed its connection.");
    assert.deepEqual(rig.sink.take(), ["down ws"]);
  });
});

describe("the limit of remembered clients", () => {
  test("past it lines with one reading stay certain, others prove nothing, and the rest is counted", () => {
    const rig = new MosquittoRig({ clientsMax: 2 }).ready();
    rig.connect("a 1 b");
    assert.equal(rig.adapter.clients.refused, 0);
    rig.sub("a 1 b 2 c");
    assert.deepEqual(rig.sink.take(), ["up a 1 b clean dies", "+a 1 b c"]);
    rig.connect("over");
    rig.sub("over 1 x");
    rig.sub("a 1 b 2 c");
    assert.deepEqual(rig.sink.take(), [
      "up over clean dies",
      "up over ? ?",
      "+over x",
      "+a b 2 c ?",
      "+a 1 b c ?",
    ]);
    assert.deepEqual([rig.adapter.clients.size, rig.adapter.clients.refused], [2, 2]);
  });
});
