/** The log: pretty on a terminal, JSON lines otherwise; the one door to pino. */

import { isatty } from "node:tty";
import { pino } from "pino";
import type { Logger } from "../bgp/model/ports.ts";
import { LogDestination } from "./log-destination.ts";
import { withoutSecrets } from "./redact.ts";

const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogLevels {
  readonly level: LogLevel;
  /** By peer name, for events that carry the field `peer`. */
  readonly perPeerLevels?: Readonly<Record<string, LogLevel>> | undefined;
}

export interface LogOptions extends LogLevels {
  readonly format: "auto" | "pretty" | "json";
  /** Default: standard error. */
  readonly fd?: number;
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

export interface DaemonLogger extends Logger {
  /** For a reload. */
  setLevels(levels: LogLevels): void;
  /** Before the process ends. */
  flush(): void;
}

type Emit = (fields: object, event: string) => void;

/** Resolves when what writes the format is loaded. */
export async function createLogger(options: LogOptions): Promise<DaemonLogger> {
  const fd = options.fd ?? 2;
  const terminal = isatty(fd);
  const isPretty = options.format === "pretty" || (options.format === "auto" && terminal);
  const environment = options.environment ?? process.env;
  const format = isPretty ? await prettyFormat(terminal && !environment["NO_COLOR"]) : (line: string) => line;
  const destination = new LogDestination(fd, (lines) => {
    const lost = { level: "warn", time: new Date().toISOString(), lines, msg: "log lines lost" };
    return format(`${JSON.stringify(lost)}\n`);
  });
  const logger = pino(
    {
      // Levels are decided here, because they may differ by peer.
      level: "debug",
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }), log: (fields) => withoutSecrets(fields) },
      serializers: { err: errorFields, error: errorFields },
    },
    { write: (line: string) => destination.write(format(line)) },
  );
  let levels: LogLevels = options;
  const gate = (level: Exclude<LogLevel, "silent">): Emit => {
    const rank = LOG_LEVELS.indexOf(level);
    return (fields, event) => {
      const wanted = levelFor(levels, fields);
      if (rank >= LOG_LEVELS.indexOf(wanted)) logger[level](fields, event);
    };
  };
  return {
    debug: gate("debug"),
    info: gate("info"),
    warn: gate("warn"),
    error: gate("error"),
    setLevels: (changed) => {
      levels = changed;
    },
    flush: () => destination.flush(),
  };
}

/** What a library hung onto its error is not ours to print either. */
function errorFields(error: Error): object {
  return withoutSecrets({ ...pino.stdSerializers.err(error) });
}

function levelFor(levels: LogLevels, fields: object): LogLevel {
  const { perPeerLevels } = levels;
  if (perPeerLevels === undefined || !("peer" in fields) || typeof fields.peer !== "string") return levels.level;
  return Object.hasOwn(perPeerLevels, fields.peer) ? (perPeerLevels[fields.peer] ?? levels.level) : levels.level;
}

async function prettyFormat(colour: boolean): Promise<(line: string) => string> {
  const { default: pretty } = await import("pino-pretty");
  return pretty.prettyFactory({
    colorize: colour,
    translateTime: "SYS:HH:MM:ss.l",
    ignore: "pid,hostname",
    singleLine: true,
  });
}
