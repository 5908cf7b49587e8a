/** One link's status value, read off its parts. */
import type { HubLink } from "./hub-link.ts";
import type { LinkStatus } from "./status.ts";

export function linkStatus(link: HubLink): LinkStatus {
  const { announcer, acceptor, peerVersion } = link.conversation;
  const { outbound, inbound, counters } = link;
  return {
    name: link.name,
    enabled: true,
    dialsIn: link.options.dialsIn,
    durability: link.options.durability ?? "memory",
    status: link.status,
    topics: link.options.topics,
    transportUp: link.transportIsUp,
    out: {
      state: announcer.state,
      works: link.works.out,
      blocked: link.passage.outward,
      refusedWith: announcer.refusedWith,
      routes: link.routes.size,
      lastOp: announcer.lastOp,
      ackedOp: announcer.ackedOp,
      widened: link.routes.widened,
    },
    in: {
      state: acceptor.state,
      works: link.works.in,
      blocked: link.passage.inward,
      routes: acceptor.routes.effectiveSize,
      appliedOp: acceptor.appliedOp,
      complete: acceptor.complete,
      overflow: acceptor.routes.overflow,
      heardAtMs: Number.isFinite(acceptor.heardAtMs) ? acceptor.heardAtMs : null,
      agentVersion: peerVersion,
    },
    queue: {
      spooled: outbound.depth,
      spooledBytes: outbound.bytes,
      waiting: outbound.waiting,
      oldestAtMs: outbound.oldestStoredAtMs,
      inflight: outbound.inflight,
      bestEffort: outbound.bestEffortQueued,
      passed: outbound.lanes.passed,
      passOverflows: outbound.lanes.overflows,
      inbound: inbound.pending + inbound.inflight,
      roundTripMs: outbound.roundTripMs,
    },
    guard: link.forwarding.guard.status,
    compression: {
      inUse: link.frames.packer.inUse,
      compressMs: link.options.codec?.compressMs ?? 0,
      expandMs: link.options.codec?.expandMs ?? 0,
    },
    drain: link.backlog.status(link.transportIsUp),
    sent: { ...counters.sent, byQos: counters.sent.byQos.value },
    received: { ...counters.received, byQos: counters.received.byQos.value },
    suppressed: counters.suppressed,
    roundTrip: outbound.delays.roundTrip.value,
    forwardLatency: outbound.delays.forward.value,
    states: link.states.status,
    republished: counters.republished,
    settled: counters.settled,
    gateTimeouts: counters.gateTimeouts,
    dropped: counters.dropped(),
    conversation: counters.conversation(),
    refusedRoutes: link.refused.list(),
    lastProblem: link.problems.last,
  };
}
