/**
 * Loaded into starling before it starts (`node --import`), with a channel to the benchmark: how late its event loop ran between
 * two questions. The daemon's own metric has a resolution of 10 ms and an interval that ends with a scrape; this has neither.
 */

import { monitorEventLoopDelay } from "node:perf_hooks";

const RESOLUTION_MILLISECONDS = 1;
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MILLISECONDS });
delay.enable();

// What is recorded is the time between two ticks of a timer: the lag is what goes beyond its interval.
const lag = (nanoseconds) => Math.max(0, (nanoseconds || 0) / 1e6 - RESOLUTION_MILLISECONDS);

process.on("message", (question) => {
  if (question === "reset") delay.reset();
  process.send?.({ p50: lag(delay.percentile(50)), p99: lag(delay.percentile(99)), max: lag(delay.max) });
});
// The channel alone does not keep the daemon alive.
process.channel?.unref();
