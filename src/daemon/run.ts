/** `starling run`: from the command line to a daemon that listens, until a signal ends it. */

import { hostname } from "node:os";
import { isDeepStrictEqual } from "node:util";
import { formatAddress } from "../bgp/model/address.ts";
import { UsageError } from "../bgp/model/errors.ts";
import { formatRouterId } from "../bgp/model/ids.ts";
import { SocketTransport } from "../bgp/socket-transport.ts";
import { paintFor } from "../cli/terminal.ts";
import { welcome } from "../cli/welcome.ts";
import { compile } from "../config/compile.ts";
import { embeddedDefault } from "../config/defaults.ts";
import { accept, acceptForReload, loadFile, loadFileInSlices } from "../config/load.ts";
import type { Config, HttpConfig, LogConfig } from "../config/model.ts";
import { ConfigError, formatProblem, isError, type Problem } from "../config/problem.ts";
import { machine } from "../config/surroundings.ts";
import { type ControlSocket, openControlSocket } from "../control/control-socket.ts";
import { type HttpServer, openHttpServer } from "../control/http-server.ts";
import { createLogger, type DaemonLogger } from "../control/log.ts";
import { Metrics } from "../control/metrics.ts";
import { defaultSocketPath } from "../control/socket-path.ts";
import type { ReloadReport } from "../control/views.ts";
import { openFib } from "../fib/netlink-fib.ts";
import { Capability, hasCapability } from "../sys/capabilities.ts";
import { VERSION } from "../version.ts";
import { systemClock } from "./clock.ts";
import { Daemon } from "./daemon.ts";
import { View } from "./daemon-view.ts";
import { KernelSide } from "./kernel-side.ts";
import { Links } from "./links.ts";
import { bindablePort } from "./ports.ts";
import { rehearse } from "./rehearsal.ts";
import { RestartMarker } from "./restart-marker.ts";

export interface RunOptions {
  readonly configFile: string | undefined;
  /** Without a file: write routes to the kernel, if this process may. */
  readonly kernel: boolean;
  readonly ceaseOnExit: boolean;
  readonly socket: string | undefined;
}

/** Resolves with the exit status when the daemon has stopped. Throws UsageError, with what to do, when it cannot start. */
export async function runDaemon(options: RunOptions): Promise<number> {
  try {
    return await run(options);
  } catch (error) {
    throw error instanceof ConfigError ? new UsageError(error.message) : error;
  }
}

async function run(options: RunOptions): Promise<number> {
  const { config, problems, portReason } = await firstConfig(options);
  const logger = await createLogger({ ...levelsOf(config.log), format: config.log.format });
  logProblems(logger, problems);
  const running = new Running(options, config, logger);
  // From the first moment on: a signal during the start must not leave a socket behind, nor a SIGHUP end the process.
  const signalled = running.untilSignal();
  try {
    await running.start();
  } catch (error) {
    await running.stop(false);
    logger.flush();
    throw error;
  }
  process.on("uncaughtException", (error) => {
    // A bug of ours. What the tables hold may be wrong now: a restart, which peers and kernel bridge, is safer than going on.
    logger.error(
      { err: error },
      "unexpected error: stopping; routes stay in the kernel, peers keep theirs for the restart time",
    );
    logger.flush();
    process.exit(1);
  });
  if (options.configFile === undefined) process.stdout.write(running.welcome(portReason));
  const signal = await signalled;
  logger.info({ signal, cease: options.ceaseOnExit }, "stopping");
  await running.stop(options.ceaseOnExit);
  logger.flush();
  return 0;
}

async function firstConfig(
  options: RunOptions,
): Promise<{ config: Config; problems: readonly Problem[]; portReason: string | undefined }> {
  if (options.configFile !== undefined) {
    const loaded = loadFile(options.configFile);
    return { config: accept(loaded), problems: loaded.problems, portReason: undefined };
  }
  const { port, reason } = await bindablePort([179, 1790]);
  const kernel = options.kernel && hasCapability(Capability.NetAdmin);
  return { config: embeddedDefault({ port, kernel }, machine("/")), problems: [], portReason: reason };
}

const REHEARSAL_MILLISECONDS = 50;

/** Everything that runs, and the order in which it begins and ends. */
class Running {
  readonly #options: RunOptions;
  readonly #logger: DaemonLogger;
  readonly #links = new Links();
  readonly #kernel: KernelSide;
  readonly #marker: RestartMarker;
  readonly #socketPath: string;
  readonly #config: Config;
  #metrics: Metrics | undefined;
  #daemon: Daemon | undefined;
  #view: View | undefined;
  #control: ControlSocket | undefined;
  #http: HttpServer | undefined;
  /** Where it is, which is not where it should be if a reload could not move it. */
  #served: Config["http"];
  /** What is under way: the start, then reloads, one after the other. */
  #busy: Promise<unknown> = Promise.resolve();
  /** The reload that waits for it. */
  #nextReload: Promise<ReloadReport> | undefined;
  #isStopping = false;

  constructor(options: RunOptions, config: Config, logger: DaemonLogger) {
    this.#options = options;
    this.#config = config;
    this.#logger = logger;
    this.#socketPath = options.socket ?? config.controlSocket ?? socketOfEnvironment() ?? defaultSocketPath();
    this.#marker = new RestartMarker(this.#socketPath, logger);
    this.#kernel = new KernelSide({
      open: openFib,
      clock: systemClock,
      logger,
      links: this.#links,
      settled: (milliseconds) => this.#metrics?.observeConvergence(milliseconds / 1000, "kernel"),
    });
  }

  start(): Promise<void> {
    const starting = this.#start();
    this.#busy = starting;
    return starting;
  }

  async #start(): Promise<void> {
    const logger = this.#logger;
    const context = { hostName: hostname(), restarting: false, peerId: () => 0 as never };
    const { fib } = compile(this.#config, context);
    if (fib !== undefined) this.#kernel.start(fib);
    else if (!this.#config.kernel.enabled) this.#kernel.reason = kernelReason(this.#options);
    const daemon = new Daemon(this.#config, {
      clock: systemClock,
      logger,
      transport: new SocketTransport(systemClock, logger),
      random: Math.random,
      links: this.#links,
      kernel: this.#kernel,
      hostName: hostname(),
      restarting: this.#marker.isLeft(),
      observeConvergence: (seconds) => this.#metrics?.observeConvergence(seconds, "sent"),
    });
    this.#daemon = daemon;
    const view = new View({
      daemon,
      kernel: this.#kernel,
      links: this.#links,
      clock: systemClock,
      reload: () => this.reload(),
    });
    this.#view = view;
    this.#metrics = new Metrics(
      {
        summary: () => view.summary(),
        peers: () => view.peers(),
        readiness: () => view.readiness(),
        kernelUnwritten: () => this.#kernel.fib?.counters().unwritten ?? { ipv4: 0, ipv6: 0 },
        kernelOperations: () => this.#kernel.fib?.counters().operations ?? [],
        configProblems: () => daemon.problems.length,
      },
      systemClock,
    );
    view.metricsSource = this.#metrics;
    this.#control = await openControlSocket({ path: this.#socketPath, view, clock: systemClock, log: logger });
    await this.#openHttp(this.#config);
    await this.#kernel.untilReady();
    await daemon.start();
    this.#marker.leave();
    logger.info(
      {
        version: VERSION,
        as: this.#config.asNumber,
        routerId: formatRouterId(this.#config.routerId),
        socket: this.#socketPath,
      },
      "starling is running",
    );
    // A little later: who waits for the start does not wait for this.
    systemClock.after(REHEARSAL_MILLISECONDS, () => {
      rehearse(systemClock, () => !daemon.hasHeardRoutes && !this.#isStopping).catch((error: unknown) =>
        logger.warn({ err: error }, "the rehearsal failed: the first routes will take longer"),
      );
    });
  }

  /** Each part that began is ended; safe after a start that failed half way. */
  async stop(cease: boolean): Promise<void> {
    this.#isStopping = true;
    await this.#busy.catch(() => undefined);
    await this.#http?.close();
    await this.#control?.close();
    if (this.#daemon === undefined) await this.#kernel.stop();
    else await this.#daemon.stop(cease);
    this.#metrics?.close();
    if (cease) this.#marker.remove();
  }

  welcome(portReason: string | undefined): string {
    const config = this.#config;
    return welcome(
      {
        version: VERSION,
        asNumber: config.asNumber,
        routerId: formatRouterId(config.routerId),
        listen: config.listen.addresses.map((a) => ({ address: formatAddress(a), port: config.listen.port })),
        portReason,
        peerRanges: config.peers.map((peer) => rangeOf(peer)),
        kernel: { enabled: this.#kernel.fib !== undefined, reason: this.#kernel.reason },
        http: this.#http,
        socket: this.#socketPath,
        socketIsDefault: this.#socketPath === defaultSocketPath(),
        command: process.env["npm_command"] === undefined ? "starling" : "npx starling",
      },
      paintFor(process.stdout, process.env),
    );
  }

  /** SIGHUP reloads the file, SIGTERM and SIGINT end. */
  untilSignal(): Promise<string> {
    const ends: NodeJS.Signals[] = ["SIGTERM", "SIGINT"];
    // Without a file there is nothing to read again: then its terminal was closed.
    if (this.#options.configFile === undefined) ends.push("SIGHUP");
    else {
      process.on("SIGHUP", () => {
        // What went wrong is in the report, and in the log.
        void this.reload();
      });
    }
    return new Promise((resolve) => {
      for (const signal of ends) process.once(signal, () => resolve(signal));
    });
  }

  /** One at a time: all requests that come while one is under way are met by one more, which reads the file again. */
  reload(): Promise<ReloadReport> {
    if (this.#nextReload !== undefined) return this.#nextReload;
    const reloading = this.#busy
      .then(() => {
        this.#nextReload = undefined;
        return this.#reloadOnce();
      })
      .catch((error: unknown) => this.#failed(error));
    this.#nextReload = reloading;
    this.#busy = reloading;
    return reloading;
  }

  /** A part of the machine refused, or we have a bug: the daemon goes on with what it has. */
  #failed(error: unknown): ReloadReport {
    const message = error instanceof Error ? error.message : String(error);
    this.#logger.error({ err: error }, "reload failed");
    return { ok: false, changes: [], problems: [{ path: "", message }] };
  }

  async #reloadOnce(): Promise<ReloadReport> {
    if (this.#isStopping) return { ok: false, changes: [], problems: [{ path: "", message: "starling is stopping" }] };
    const daemon = this.#daemon;
    const file = this.#options.configFile;
    if (daemon === undefined || file === undefined) {
      const message = "starling runs its embedded default: there is no file to read again. Start it with `-c FILE`";
      return { ok: false, changes: [], problems: [{ path: "", message }] };
    }
    const loaded = await loadFileInSlices(file, systemClock);
    logProblems(this.#logger, loaded.problems);
    const errors = loaded.problems.filter(isError);
    daemon.problems = errors;
    const problems = errors.map((problem) => ({ path: problem.path, message: problemWithoutPath(problem) }));
    let next: Config;
    try {
      next = acceptForReload(daemon.config, loaded);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      this.#logger.error({ file, problems: error.problems.length }, "reload refused: nothing was changed");
      return {
        ok: false,
        changes: [],
        problems: error.problems.map((p) => ({ path: p.path, message: problemWithoutPath(p) })),
      };
    }
    const previous = daemon.config;
    const changes = [...(await daemon.apply(next))];
    if (!isDeepStrictEqual(previous.log, next.log)) this.#logger.setLevels(levelsOf(next.log));
    if (!isDeepStrictEqual(this.#served, next.http)) {
      const refusal = await this.#moveHttp(next);
      if (refusal !== undefined) problems.push({ path: "http", message: refusal });
    }
    if (previous.controlSocket !== next.controlSocket)
      changes.push("control.socket: takes effect when starling is started again");
    this.#logger.info({ file, changes: changes.length, problems: problems.length }, "configuration reloaded");
    return { ok: true, changes, problems };
  }

  /** The old server goes when the new one stands; or before, if it is in the way. Returns why that could not be, in words. */
  async #moveHttp(next: Config): Promise<string | undefined> {
    const before = { server: this.#http, http: this.#served };
    try {
      await this.#openHttp(next);
      await before.server?.close();
      return undefined;
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      if (before.server === undefined || before.http?.port !== next.http?.port) return this.#httpStays(error);
    }
    await before.server.close();
    try {
      await this.#openHttp(next);
      return undefined;
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      await this.#openHttp(before);
      return this.#httpStays(error);
    }
  }

  #httpStays({ message }: UsageError): string {
    this.#logger.error({ reason: message }, "http stays where it was");
    return message;
  }

  async #openHttp({ http }: Pick<Config, "http">): Promise<void> {
    const view = this.#view;
    if (view === undefined) return;
    this.#http = http === undefined ? undefined : await this.#serve(http, view);
    this.#served = http;
  }

  #serve({ address, port }: HttpConfig, view: View): Promise<HttpServer> {
    return openHttpServer({ address: formatAddress(address), port, view, clock: systemClock, log: this.#logger });
  }
}

function rangeOf({ remote }: Config["peers"][number]): string {
  return remote.kind === "range" ? `${formatAddress(remote.prefix)}/${remote.prefix.length}` : "";
}

function kernelReason(options: RunOptions): string {
  if (options.configFile !== undefined) return "kernel.enabled is false";
  return options.kernel ? "--kernel needs CAP_NET_ADMIN: run as root" : "start with --kernel to have them written";
}

function levelsOf(log: LogConfig): { level: LogConfig["level"]; perPeerLevels: LogConfig["peers"] } {
  return { level: log.level, perPeerLevels: log.peers };
}

function logProblems(logger: DaemonLogger, problems: readonly Problem[]): void {
  for (const problem of problems) {
    const fields = { path: problem.path, ...(problem.peer === undefined ? {} : { peer: problem.peer }) };
    if (isError(problem)) logger.error(fields, `configuration: ${formatProblem(problem)}`);
    else logger.warn(fields, `configuration: ${formatProblem(problem)}`);
  }
}

/** What a client of ours goes by as well. */
function socketOfEnvironment(): string | undefined {
  return process.env["STARLING_SOCKET"] || undefined;
}

/** The path stands beside it in the report. */
function problemWithoutPath(problem: Problem): string {
  return formatProblem({ ...problem, path: "" });
}
