/** What most runs have in common: a daemon, the generator's sessions with it, and what both used until all was told. */

import { BenchError } from "../bench-error.ts";
import type { Network } from "../daemons/daemon.ts";
import { RunningDaemon } from "../daemons/running.ts";
import type { Figures } from "../figures.ts";
import { BUSY, type Converged, Generator, type GeneratorSession } from "../generator.ts";
import type { DaemonContext, Outcome } from "./scenario.ts";

/** So many dials in flight: what a daemon (or its queue of eight, BIRD's) does with a burst is another scenario. */
const DIALS = 8;

export interface Load {
  readonly daemon: RunningDaemon;
  readonly generator: Generator;
}

/** Starts both, waits until all sessions are Established and the daemon has nothing left to do, and ends both after `work`. */
export async function withLoad<Result>(
  context: DaemonContext,
  network: Network,
  sessions: readonly GeneratorSession[],
  work: (load: Load) => Promise<Result>,
  probe = true,
): Promise<Result> {
  const daemon = await RunningDaemon.start(context.daemon, network, { ...context, probe });
  const generator = new Generator(context.tools.generator, context.namespace, context.signal);
  try {
    generator.target(network.address, network.port);
    for (const session of sessions) generator.session(session);
    await generator.connect({ window: DIALS });
    await daemon.quiet();
    return await work({ daemon, generator });
  } catch (error) {
    // A daemon that fell is the reason, not the sessions that fell with it.
    daemon.check();
    if (!(error instanceof BenchError)) throw error;
    throw new BenchError(`${error.message}${generator.troubles()}`);
  } finally {
    await generator.close();
    await daemon.stop();
  }
}

/** Measures from the start of `act` until its promise tells of convergence; CPU time until the daemon is quiet again. */
export async function measured({ daemon, generator }: Load, act: () => Promise<Converged>): Promise<Outcome> {
  const cpuBefore = daemon.cpuSeconds();
  await daemon.eventLoopLag("reset");
  const converged = await act();
  const lag = await daemon.eventLoopLag("read");
  const cpuAtEnd = daemon.cpuSeconds() - cpuBefore;
  await daemon.quiet();
  const figures: Figures = {
    seconds: converged.seconds,
    cpuSeconds: daemon.cpuSeconds() - cpuBefore,
    peakMegabytes: daemon.peakMegabytes(),
    firstSeconds: converged.firstSeconds,
    updates: converged.received.updates,
    megabytes: converged.received.octets / 1e6,
    generatorBusy: converged.generatorBusy,
    ...(lag === undefined ? {} : { lagP50: lag.p50, lagP99: lag.p99, lagMax: lag.max }),
  };
  const notes: string[] = [];
  if (converged.generatorBusy > BUSY && cpuAtEnd < converged.seconds * BUSY) {
    notes.push("the load generator was the bottleneck");
  }
  const { down } = await generator.stats();
  if (down > 0) notes.push(`sessions lost: ${down}${generator.troubles()}`);
  return { figures, notes };
}
