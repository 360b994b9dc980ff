/** Everything that runs, and the order in which it begins, changes and ends. */

import { hostname } from "node:os";
import { isDeepStrictEqual } from "node:util";
import { formatAddress } from "../bgp/model/address.ts";
import { formatRouterId } from "../bgp/model/ids.ts";
import { SocketTransport } from "../bgp/socket-transport.ts";
import { paintFor } from "../cli/terminal.ts";
import { welcome } from "../cli/welcome.ts";
import { CalicoConfig } from "../config/calico/calico-config.ts";
import { calicoNode, isIdle } from "../config/calico/calico-node.ts";
import { openDatastore } from "../config/calico/datastore/open.ts";
import { compile } from "../config/compile.ts";
import { acceptForReload, type Opened, openFile } from "../config/load.ts";
import type { Config, LogConfig } from "../config/model.ts";
import { ConfigError, isError, isShown, type Problem } from "../config/problem.ts";
import { machineOf } from "../config/surroundings.ts";
import type { Loaded } from "../config/validate.ts";
import { type ControlSocket, openControlSocket } from "../control/control-socket.ts";
import type { DaemonLogger } from "../control/log.ts";
import { Metrics } from "../control/metrics.ts";
import { defaultSocketPath } from "../control/socket-path.ts";
import type { ReloadReport } from "../control/views.ts";
import { openFib } from "../fib/netlink-fib.ts";
import { VERSION } from "../version.ts";
import { BirdSide } from "./bird-side.ts";
import { DaemonBirdView } from "./bird-view.ts";
import { CalicoSource } from "./calico-source.ts";
import { systemClock } from "./clock.ts";
import { Daemon } from "./daemon.ts";
import { View } from "./daemon-view.ts";
import { HttpSide } from "./http-side.ts";
import { KernelSide } from "./kernel-side.ts";
import { Links } from "./links.ts";
import { NodeStatusReporter } from "./node-status.ts";
import { PortWait } from "./port-wait.ts";
import { rehearse } from "./rehearsal.ts";
import { few, logProblems, refused, reported, withPeersOf } from "./reload-report.ts";
import { RestartMarker } from "./restart-marker.ts";
import type { RunOptions, Startup } from "./startup.ts";

const REHEARSAL_MILLISECONDS = 50;

export class Running {
  readonly #options: RunOptions;
  readonly #logger: DaemonLogger;
  readonly #links = new Links();
  readonly #kernel: KernelSide;
  readonly #marker: RestartMarker;
  readonly #portWait: PortWait;
  readonly #socketPath: string;
  readonly #startup: Startup;
  #metrics: Metrics | undefined;
  #daemon: Daemon | undefined;
  #control: ControlSocket | undefined;
  #http: HttpSide | undefined;
  #bird: BirdSide | undefined;
  #calico: CalicoSource | undefined;
  /** The daemon listens and connects. */
  #hasBegun = false;
  /** What is under way: the start, then changes, one after the other. */
  #busy: Promise<unknown> = Promise.resolve();
  /** The reload that waits for it. */
  #nextReload: Promise<ReloadReport> | undefined;
  #isStopping = false;
  #fail: (error: unknown) => void = () => {};
  /** Rejects when a start that had to wait fails after all. */
  readonly failed = new Promise<never>((_resolve, reject) => {
    this.#fail = reject;
  });

  constructor(options: RunOptions, startup: Startup, logger: DaemonLogger) {
    this.#options = options;
    this.#startup = startup;
    this.#logger = logger;
    const { config } = startup;
    this.#socketPath = options.socket ?? config.controlSocket ?? socketOfEnvironment() ?? defaultSocketPath();
    this.#marker = new RestartMarker(this.#socketPath, logger);
    this.#portWait = new PortWait(systemClock, logger);
    this.#kernel = new KernelSide({
      open: openFib,
      clock: systemClock,
      logger,
      links: this.#links,
      settled: (milliseconds) => this.#metrics?.observeConvergence(milliseconds / 1000, "kernel"),
    });
    // Whoever does not wait for it shall not be ended by it.
    this.failed.catch(() => undefined);
  }

  /** On a Calico node it resolves before the resources are known: commands are answered meanwhile. */
  start(): Promise<void> {
    const starting = this.#start();
    this.#busy = starting;
    return starting;
  }

  async #start(): Promise<void> {
    const logger = this.#logger;
    const { config, calico } = this.#startup;
    const { fib } = compile(config, { hostName: hostname(), restarting: false });
    if (fib !== undefined) this.#kernel.start(fib);
    else if (!config.kernel.enabled) this.#kernel.reason = kernelReason(this.#options, this.#startup);
    const idles = calico !== undefined && isIdle(calico.options);
    const daemon = new Daemon(config, {
      clock: systemClock,
      logger,
      transport: new SocketTransport(systemClock, logger),
      random: Math.random,
      links: this.#links,
      kernel: this.#kernel,
      hostName: hostname(),
      // As BIRD runs on Calico's nodes: the peers keep what they have of it, or of the BIRD whose place this takes.
      restarting: (calico !== undefined && !idles) || this.#marker.isLeft(),
      observeConvergence: (seconds) => this.#metrics?.observeConvergence(seconds, "sent"),
    });
    this.#daemon = daemon;
    const view = this.#viewOf(daemon);
    this.#control = await openControlSocket({ path: this.#socketPath, view, clock: systemClock, log: logger });
    this.#http = new HttpSide(view, systemClock, logger);
    await this.#http.open(config.http);
    const birdView = this.#birdViewOf(daemon, view);
    this.#bird = this.#birdSide(birdView, calico?.options.role === "node" && !idles);
    await this.#bird.open(config);
    await this.#kernel.untilReady();
    if (calico === undefined || idles) await this.#begin(daemon);
    if (idles)
      logger.info({ backend: calico.options.backend }, "nothing to do: Calico's networking backend is not bird");
    if (calico === undefined || idles || this.#isStopping) return;
    this.#calico = new CalicoSource({
      node: calico,
      clock: systemClock,
      logger,
      open: openDatastore,
      statuses: (write) => {
        const { nodeName } = calico.options;
        // BIRD is Ready once it has started, peers or not.
        const agent = { peers: () => view.peers(), summary: () => view.summary(), readiness: () => view.starting() };
        return new NodeStatusReporter({ bird: birdView, view: agent, clock: systemClock, logger, nodeName, write });
      },
      changed: (next, problems) => this.#enqueue(() => this.#calicoChanged(next, problems)),
    });
    await this.#calico.start();
  }

  #viewOf(daemon: Daemon): View {
    const view = new View({
      daemon,
      kernel: this.#kernel,
      links: this.#links,
      clock: systemClock,
      reload: () => this.reload(),
      calico: () => this.#calico,
    });
    this.#metrics = new Metrics(
      {
        summary: () => view.summary(),
        peers: () => view.peers(),
        readiness: () => view.readiness(),
        kernelOperations: () => this.#kernel.fib?.counters().operations ?? [],
        kernelUnwritten: () => this.#kernel.fib?.counters().unwritten ?? { ipv4: 0, ipv6: 0 },
        configProblems: () => daemon.problems.filter(isError).length,
      },
      systemClock,
    );
    view.metricsSource = this.#metrics;
    return view;
  }

  #birdViewOf(daemon: Daemon, view: View): DaemonBirdView {
    return new DaemonBirdView({
      daemon,
      kernel: this.#kernel,
      links: this.#links,
      clock: systemClock,
      reload: () => this.reload(),
      act: (peer, action) => view.peerAction(peer, action, undefined),
    });
  }

  #birdSide(view: DaemonBirdView, isCalicoNode: boolean): BirdSide {
    return new BirdSide({ view, clock: systemClock, logger: this.#logger, isCalicoNode });
  }

  /** Listens and connects. */
  async #begin(daemon: Daemon): Promise<void> {
    await daemon.start();
    this.#hasBegun = true;
    this.#marker.leave();
    const { asNumber, routerId } = daemon.config;
    this.#logger.info(
      { version: VERSION, as: asNumber, routerId: formatRouterId(routerId), socket: this.#socketPath },
      "starling is running",
    );
    // A little later: who waits for the start does not wait for this.
    systemClock.after(REHEARSAL_MILLISECONDS, () => {
      rehearse(systemClock, () => !daemon.hasHeardRoutes && !this.#isStopping).catch((error: unknown) =>
        this.#logger.warn({ err: error }, "the rehearsal failed: the first routes will take longer"),
      );
    });
  }

  /** Each part that began is ended; safe after a start that failed half way. */
  async stop(cease: boolean): Promise<void> {
    this.#isStopping = true;
    this.#portWait.close();
    await this.#calico?.close();
    await this.#busy.catch(() => undefined);
    await this.#http?.close();
    await this.#bird?.close();
    await this.#control?.close();
    if (this.#daemon === undefined) await this.#kernel.stop();
    else await this.#daemon.stop(cease);
    this.#metrics?.close();
    if (cease) this.#marker.remove();
  }

  welcome(): string {
    const { config, portReason } = this.#startup;
    return welcome(
      {
        version: VERSION,
        asNumber: config.asNumber,
        routerId: formatRouterId(config.routerId),
        listen: config.listen.addresses.map((a) => ({ address: formatAddress(a), port: config.listen.port })),
        portReason,
        peerRanges: config.peers.map((peer) => rangeOf(peer)),
        kernel: { enabled: this.#kernel.fib !== undefined, reason: this.#kernel.reason },
        http: this.#http?.server,
        socket: this.#socketPath,
        socketIsDefault: this.#socketPath === defaultSocketPath(),
        command: process.env["npm_command"] === undefined ? "starling" : "npx starling",
      },
      paintFor(process.stdout, process.env),
    );
  }

  /** One at a time: all requests that come while one is under way are met by one more, which reads the file again. */
  reload(): Promise<ReloadReport> {
    if (this.#nextReload !== undefined) return this.#nextReload;
    const reloading = this.#enqueue(() => {
      this.#nextReload = undefined;
      return this.#reloadOnce();
    }).catch((error: unknown) => this.#reloadFailed(error));
    this.#nextReload = reloading;
    return reloading;
  }

  #enqueue<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#busy.then(task);
    this.#busy = done.catch(() => undefined);
    return done;
  }

  /** A part of the machine refused, or we have a bug: the daemon goes on with what it has. */
  #reloadFailed(error: unknown): ReloadReport {
    this.#logger.error({ err: error }, "reload failed");
    return refused("", error instanceof Error ? error.message : String(error));
  }

  async #reloadOnce(): Promise<ReloadReport> {
    if (this.#isStopping) return refused("", "starling is stopping");
    const daemon = this.#daemon;
    const file = this.#options.configFile;
    if (daemon === undefined || file === undefined) {
      const message = "starling runs without a file: there is nothing to read again. Start it with `-c FILE`";
      return refused("", message);
    }
    const opened = openFile(file);
    const loaded = await opened.validateInSlices(systemClock);
    try {
      if (loaded.config === undefined) throw new ConfigError(loaded.problems.filter(isError));
      if ((loaded.calico === undefined) !== (this.#startup.calico === undefined))
        return refused("calico", "a section that comes or goes takes effect when starling is started again");
      const isCalico = loaded.calico !== undefined;
      const report = await (isCalico ? this.#reloadCalico(daemon, opened, loaded) : this.#reloadPlain(daemon, loaded));
      const counts = { changes: report.changes.length, problems: report.problems.length };
      this.#logger.info({ file, ...counts }, "configuration reloaded");
      return report;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      daemon.problems = error.problems;
      logProblems(this.#logger, daemon.problems);
      this.#logger.error({ file, problems: error.problems.length }, "reload refused: nothing was changed");
      return { ok: false, changes: [], problems: reported(error.problems) };
    }
  }

  async #reloadPlain(daemon: Daemon, loaded: Loaded): Promise<ReloadReport> {
    const next = acceptForReload(daemon.config, loaded);
    logProblems(this.#logger, loaded.problems);
    daemon.problems = loaded.problems.filter(isError);
    const report = await this.#apply(daemon, next);
    return { ...report, problems: [...reported(daemon.problems), ...report.problems] };
  }

  /** What the file has beside the resources is merged anew. */
  async #reloadCalico(daemon: Daemon, opened: Opened, { calico: section = {} }: Loaded): Promise<ReloadReport> {
    const { problems, options, config } = calicoNode(opened, section, machineOf(this.#options.configFile ?? "/"), true);
    logProblems(this.#logger, problems);
    const inForce = this.#startup.calico?.options ?? options;
    const isSame = isDeepStrictEqual(inForce, options);
    const notes = isSame ? [] : ["calico: another node, role or datastore takes effect when starling is started again"];
    // Half of another role would take back routes that the other half still leads here.
    const merged = this.#calico?.replaceFile(isSame ? config : new CalicoConfig(opened, inForce));
    if (merged === undefined) return { ok: true, changes: notes, problems: reported(problems.filter(isError)) };
    const next = acceptForReload(daemon.config, merged);
    daemon.problems = merged.problems.filter(isShown);
    const report = await this.#apply(daemon, next);
    const all = [...reported(merged.problems.filter(isError)), ...report.problems];
    return { ...report, changes: [...report.changes, ...notes], problems: all };
  }

  async #calicoChanged(config: Config, problems: readonly Problem[]): Promise<void> {
    const daemon = this.#daemon;
    if (daemon === undefined || this.#isStopping) return;
    daemon.problems = problems;
    const report = await this.#apply(daemon, withPeersOf(daemon.config, config, problems));
    for (const { path, message } of report.problems) this.#logger.error({ path }, message);
    if (this.#hasBegun) {
      if (report.changes.length > 0) this.#logger.info({ changes: few(report.changes) }, "Calico's resources changed");
      return;
    }
    await this.#beginWhenFree(daemon);
  }

  async #beginWhenFree(daemon: Daemon): Promise<void> {
    if (this.#hasBegun || this.#isStopping) return;
    const again = () => void this.#enqueue(() => this.#beginWhenFree(daemon));
    daemon.obstacle = await this.#portWait.obstacle(daemon.config, again);
    if (daemon.obstacle !== undefined) return;
    try {
      await this.#begin(daemon);
      // BIRD may have had its sockets until now.
      await this.#bird?.move(daemon.config);
    } catch (error) {
      this.#fail(error);
    }
  }

  async #apply(daemon: Daemon, next: Config): Promise<ReloadReport> {
    const previous = daemon.config;
    const changes = [...(await daemon.apply(next))];
    if (!isDeepStrictEqual(previous.log, next.log)) this.#logger.setLevels(levelsOf(next.log));
    const refusal = await this.#http?.move(next.http);
    if (previous.controlSocket !== next.controlSocket)
      changes.push("control.socket: takes effect when starling is started again");
    const problems = [...((await this.#bird?.move(next)) ?? [])];
    if (refusal !== undefined) problems.push({ path: "http", message: refusal });
    return { ok: true, changes, problems };
  }
}

function rangeOf({ remote }: Config["peers"][number]): string {
  return remote.kind === "range" ? `${formatAddress(remote.prefix)}/${remote.prefix.length}` : "";
}

function kernelReason(options: RunOptions, { calico }: Startup): string {
  if (calico !== undefined && isIdle(calico.options)) return "Calico's networking backend is not bird";
  if (calico?.options.role === "route-reflector") return "calico.role is route-reflector";
  if (options.configFile !== undefined) return "kernel.enabled is false";
  return options.kernel ? "--kernel needs CAP_NET_ADMIN: run as root" : "start with --kernel to have them written";
}

export function levelsOf(log: LogConfig): { level: LogConfig["level"]; perPeerLevels: LogConfig["peers"] } {
  return { level: log.level, perPeerLevels: log.peers };
}

/** What a client of ours goes by as well. */
function socketOfEnvironment(): string | undefined {
  return process.env["STARLING_SOCKET"] || undefined;
}
