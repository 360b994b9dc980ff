/** Metrics: what the daemon shows, read when somebody scrapes, and what its process spends. */

import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import type { Clock } from "../bgp/model/ports.ts";
import { Histogram, labelText, metricHead, sampleLine } from "./exposition.ts";
import { CONVERGENCE_BOUNDS, METRIC } from "./metrics-list.ts";
import type { ProcessMetrics } from "./process-metrics.ts";
import { turn } from "./row-stream.ts";
import type { CalicoView, PeerView, SessionStateName, SummaryView } from "./views.ts";

/** Peers per turn of the event loop: some twenty lines each. */
const PEERS_PER_SLICE = 64;
const LAG_RESOLUTION_MILLISECONDS = 10;
const NANOSECONDS = 1e9;

const stateNumber: Readonly<Record<SessionStateName, number>> = {
  Idle: 1,
  Connect: 2,
  Active: 3,
  OpenSent: 4,
  OpenConfirm: 5,
  Established: 6,
};

export interface MetricsSource {
  summary(): SummaryView;
  peers(): readonly PeerView[];
  readiness(): readonly string[];
  kernelUnwritten(): Readonly<Record<"ipv4" | "ipv6", number>>;
  kernelOperations(): readonly { readonly op: string; readonly result: string; readonly count: number }[];
  /** How many problems the last reload left behind. */
  configProblems(): number;
}

/**
 * Values live where they arise and are read at a scrape; only convergence is observed as it happens. The text of the peers'
 * metrics is written here, in slices: thousands of peers with twenty series each would stall the event loop in one piece.
 */
export class Metrics {
  readonly #source: MetricsSource;
  readonly #clock: Clock;
  /** Loaded at the first scrape: where nobody scrapes, it would take its 1.5 MB and its time at the start in vain. */
  #process: Promise<ProcessMetrics> | undefined;
  readonly #lag: IntervalHistogram;
  readonly #convergence = { sent: new Histogram(CONVERGENCE_BOUNDS), kernel: new Histogram(CONVERGENCE_BOUNDS) };

  constructor(source: MetricsSource, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
    this.#lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MILLISECONDS });
    this.#lag.enable();
  }

  /** `routes` that took equally long, in one call. */
  observeConvergence(seconds: number, stage: "sent" | "kernel", routes = 1): void {
    this.#convergence[stage].observe(seconds, routes);
  }

  async text(): Promise<string> {
    const own = this.#ownText();
    const peers = await this.#peersText();
    this.#process ??= import("./process-metrics.ts").then(({ ProcessMetrics }) => new ProcessMetrics());
    const ofProcess = await this.#process;
    return `${own}${peers}${await ofProcess.text()}`;
  }

  /** Idempotent. */
  close(): void {
    this.#lag.disable();
    void this.#process?.then((ofProcess) => ofProcess.close());
  }

  #ownText(): string {
    const summary = this.#source.summary();
    const info = labelText({
      version: summary.version,
      as: String(summary.asNumber),
      router_id: summary.routerId,
    });
    let text = metricHead(METRIC.info) + sampleLine(METRIC.info.name, info, 1);
    text += metricHead(METRIC.ready);
    text += sampleLine(METRIC.ready.name, "", this.#source.readiness().length === 0 ? 1 : 0);
    text += metricHead(METRIC.configProblems);
    text += sampleLine(METRIC.configProblems.name, "", this.#source.configProblems());
    if (summary.calico !== null) text += datastoreText(summary.calico);
    text += byFamily(METRIC.ribPrefixes, summary.prefixes);
    text += byFamily(METRIC.ribPaths, summary.paths);
    text += byFamily(METRIC.kernelRoutes, summary.kernel.routes);
    text += byFamily(METRIC.kernelUnwritten, this.#source.kernelUnwritten());
    text += metricHead(METRIC.kernelOperations);
    for (const { op, result, count } of this.#source.kernelOperations()) {
      text += sampleLine(METRIC.kernelOperations.name, labelText({ op, result }), count);
    }
    text += metricHead(METRIC.convergence);
    text += this.#convergence.sent.text(METRIC.convergence.name, 'stage="sent"');
    text += this.#convergence.kernel.text(METRIC.convergence.name, 'stage="kernel"');
    return text + this.#lagText();
  }

  #lagText(): string {
    let text = metricHead(METRIC.eventLoopLag);
    for (const [quantile, nanoseconds] of [
      ["0.5", this.#lag.percentile(50)],
      ["0.99", this.#lag.percentile(99)],
      ["1", this.#lag.max],
    ] as const) {
      // What is recorded is the time between two ticks of a timer: the lag is what goes beyond its interval.
      const lag = Math.max(0, (nanoseconds || 0) / NANOSECONDS - LAG_RESOLUTION_MILLISECONDS / 1000);
      text += sampleLine(METRIC.eventLoopLag.name, `quantile="${quantile}"`, Number(lag.toFixed(6)));
    }
    this.#lag.reset();
    return text;
  }

  async #peersText(): Promise<string> {
    const peers = this.#source.peers();
    let text = "";
    for (const { metric, samples } of PEER_METRICS) {
      text += metricHead(metric);
      for (let index = 0; index < peers.length; index++) {
        const peer = peers[index];
        if (peer !== undefined) text += samples(peer);
        if (index % PEERS_PER_SLICE === PEERS_PER_SLICE - 1) await turn(this.#clock);
      }
    }
    return text;
  }
}

type PeerMetric = {
  readonly metric: (typeof METRIC)[keyof typeof METRIC];
  readonly samples: (peer: PeerView) => string;
};

/** The format wants all samples of a metric together, so the peers are walked once for each. */
const PEER_METRICS: readonly PeerMetric[] = [
  {
    metric: METRIC.peerUp,
    samples: (peer) => {
      const as = peer.asNumber === null ? "" : String(peer.asNumber);
      const up = peer.state === "Established" ? 1 : 0;
      return sampleLine(METRIC.peerUp.name, labelText({ peer: peer.name, as, type: peer.type }), up);
    },
  },
  { metric: METRIC.peerState, samples: (peer) => one(METRIC.peerState.name, peer, stateNumber[peer.state]) },
  { metric: METRIC.peerEnabled, samples: (peer) => one(METRIC.peerEnabled.name, peer, peer.enabled ? 1 : 0) },
  { metric: METRIC.peerTransitions, samples: (peer) => one(METRIC.peerTransitions.name, peer, peer.transitions) },
  familyMetric(METRIC.peerReceived, "received"),
  familyMetric(METRIC.peerAccepted, "accepted"),
  familyMetric(METRIC.peerAdvertised, "advertised"),
  familyMetric(METRIC.peerLimit, "limit"),
  {
    metric: METRIC.peerMessages,
    samples: (peer) => messages(peer, "received") + messages(peer, "sent"),
  },
];

function familyMetric(
  metric: PeerMetric["metric"],
  field: "received" | "accepted" | "advertised" | "limit",
): PeerMetric {
  const samples = (peer: PeerView): string => {
    let text = "";
    for (const family of Object.keys(peer.families)) {
      const value = peer.families[family]?.[field] ?? null;
      if (value !== null) text += sampleLine(metric.name, labelText({ peer: peer.name, family }), value);
    }
    return text;
  };
  return { metric, samples };
}

function messages(peer: PeerView, direction: "received" | "sent"): string {
  const counts = peer.messages[direction];
  let text = "";
  for (const type of Object.keys(counts)) {
    text += sampleLine(METRIC.peerMessages.name, labelText({ peer: peer.name, direction, type }), counts[type] ?? 0);
  }
  return text;
}

function one(name: string, peer: PeerView, value: number): string {
  return sampleLine(name, labelText({ peer: peer.name }), value);
}

function datastoreText({ datastore, problems }: CalicoView): string {
  const { datastoreCurrent, datastoreProblems } = METRIC;
  return [
    metricHead(datastoreCurrent),
    sampleLine(datastoreCurrent.name, labelText({ type: datastore.type }), datastore.current ? 1 : 0),
    metricHead(datastoreProblems),
    sampleLine(datastoreProblems.name, "", problems),
  ].join("");
}

function byFamily(metric: PeerMetric["metric"], values: Readonly<Record<"ipv4" | "ipv6", number>>): string {
  const { name } = metric;
  return (
    metricHead(metric) + sampleLine(name, 'family="ipv4"', values.ipv4) + sampleLine(name, 'family="ipv6"', values.ipv6)
  );
}
