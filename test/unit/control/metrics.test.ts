import { afterEach, describe, expect, it } from "vitest";
import { Histogram, labelText } from "../../../src/control/exposition.ts";
import { Metrics, type MetricsSource } from "../../../src/control/metrics.ts";
import { METRIC } from "../../../src/control/metrics-list.ts";
import type { CalicoView } from "../../../src/control/views.ts";
import { ExampleView, examplePeer } from "../../harness/example-view.ts";
import { systemClock } from "../../harness/system-clock.ts";

let metrics: Metrics | undefined;

afterEach(() => {
  metrics?.close();
  metrics = undefined;
});

const CALICO: CalicoView = {
  nodeName: "node-1",
  release: "3.33",
  datastore: { type: "etcd", current: false, reason: "no endpoint answers" },
  problems: 2,
};

function source(view: ExampleView): MetricsSource {
  return {
    summary: () => ({ ...view.summary(), calico: CALICO }),
    peers: () => view.peers(),
    readiness: () => view.readiness(),
    kernelUnwritten: () => ({ ipv4: 3, ipv6: 0 }),
    kernelOperations: () => [{ op: "replace", result: "ok", count: 7 }],
    configProblems: () => 0,
  };
}

async function scrape(view = new ExampleView()): Promise<string[]> {
  metrics = new Metrics(source(view), systemClock);
  return (await metrics.text()).split("\n");
}

describe("metrics", () => {
  it.each([
    'starling_info{version="0.1.0",as="64512",router_id="10.0.0.1"} 1',
    "starling_ready 1",
    "starling_config_problems 0",
    'starling_peer_up{peer="node-1",as="64512",type="internal"} 1',
    'starling_peer_up{peer="tor-b",as="65002",type="external"} 0',
    'starling_peer_state{peer="node-1"} 6',
    'starling_peer_state{peer="node-2"} 3',
    'starling_peer_enabled{peer="tor-b"} 0',
    'starling_peer_transitions_total{peer="node-2"} 2',
    'starling_peer_prefixes_received{peer="tor-a",family="ipv6"} 1',
    'starling_peer_prefixes_advertised{peer="tor-a",family="ipv4"} 3',
    'starling_peer_prefix_limit{peer="node-1",family="ipv4"} 1000',
    'starling_peer_messages_total{peer="tor-a",direction="sent",type="keepalive"} 9121',
    'starling_rib_prefixes{family="ipv4"} 5',
    'starling_rib_paths{family="ipv4"} 6',
    'starling_kernel_routes{family="ipv6"} 1',
    'starling_kernel_routes_unwritten{family="ipv4"} 3',
    'starling_kernel_operations_total{op="replace",result="ok"} 7',
    'starling_datastore_current{type="etcd"} 0',
    "starling_datastore_problems 2",
  ])("%s", async (line) => {
    expect(await scrape()).toContain(line);
  });

  it("shows convergence by stage, in cumulative buckets", async () => {
    metrics = new Metrics(source(new ExampleView()), systemClock);
    metrics.observeConvergence(0.004, "sent", 10);
    metrics.observeConvergence(0.2, "sent");
    metrics.observeConvergence(90, "kernel");
    const lines = (await metrics.text()).split("\n");
    expect(lines).toContain('starling_convergence_seconds_bucket{stage="sent",le="0.0025"} 0');
    expect(lines).toContain('starling_convergence_seconds_bucket{stage="sent",le="0.005"} 10');
    expect(lines).toContain('starling_convergence_seconds_bucket{stage="sent",le="+Inf"} 11');
    expect(lines).toContain('starling_convergence_seconds_count{stage="sent"} 11');
    expect(lines).toContain('starling_convergence_seconds_bucket{stage="kernel",le="60"} 0');
    expect(lines).toContain('starling_convergence_seconds_bucket{stage="kernel",le="+Inf"} 1');
  });

  it("is text that follows the format: every sample under its own head, once", async () => {
    const lines = (await scrape()).filter((line) => line !== "");
    let current = "";
    const heads = new Set<string>();
    for (const line of lines) {
      const head = /^# HELP (\S+) \S/.exec(line);
      if (head !== null) {
        current = head[1] ?? "";
        expect(heads).not.toContain(current);
        heads.add(current);
      } else if (!line.startsWith("# TYPE")) {
        expect(line).toMatch(/^[a-z_:0-9]+(\{([a-z_]+="([^"\\\n]|\\["\\n])*",?)+\})? (-?[0-9.e+-]+|[+-]Inf|NaN)$/i);
        expect(line.startsWith(current)).toBe(true);
      }
    }
    for (const { name } of Object.values(METRIC)) expect(heads).toContain(name);
    expect(heads).toContain("process_resident_memory_bytes");
  });

  it("quotes what a name may hold", () => {
    expect(labelText({ peer: 'a"b\\c\nd' })).toBe('peer="a\\"b\\\\c\\nd"');
  });

  it("measures how late the event loop ran, since the last scrape", async () => {
    metrics = new Metrics(source(new ExampleView()), systemClock);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const end = performance.now() + 200;
    while (performance.now() < end);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const worst = (text: string): number => Number(/lag_seconds\{quantile="1"\} (\S+)/.exec(text)?.[1]);
    expect(worst(await metrics.text())).toBeGreaterThan(0.15);
    expect(worst(await metrics.text())).toBeLessThan(0.15);
  });

  it("stays within a turn of the event loop with thousands of peers", async () => {
    const view = new ExampleView();
    view.peerViews = Array.from({ length: 2000 }, (_, index) => examplePeer({ name: `node-${index}` }));
    metrics = new Metrics(source(view), systemClock);
    let turns = 0;
    const counter = setInterval(() => turns++, 0);
    const text = await metrics.text();
    clearInterval(counter);
    expect(text.match(/starling_peer_up\{/g)).toHaveLength(2000);
    expect(turns).toBeGreaterThan(5);
  });
});

describe("histogram", () => {
  it("puts a value on a bound into that bound's bucket", () => {
    const histogram = new Histogram([1, 2]);
    histogram.observe(1, 1);
    histogram.observe(2, 1);
    histogram.observe(3, 2);
    expect(histogram.text("h", "")).toBe(
      'h_bucket{le="1"} 1\nh_bucket{le="2"} 2\nh_bucket{le="+Inf"} 4\nh_sum 9\nh_count 4\n',
    );
  });
});
