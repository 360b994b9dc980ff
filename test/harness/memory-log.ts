/** A Logger that keeps what it is told. */

import type { Logger } from "../../src/bgp/model/ports.ts";

export interface LogLine {
  readonly level: keyof Logger;
  readonly event: string;
  readonly fields: object;
}

export class MemoryLog implements Logger {
  readonly lines: LogLine[] = [];

  debug(fields: object, event: string): void {
    this.lines.push({ level: "debug", event, fields });
  }
  info(fields: object, event: string): void {
    this.lines.push({ level: "info", event, fields });
  }
  warn(fields: object, event: string): void {
    this.lines.push({ level: "warn", event, fields });
  }
  error(fields: object, event: string): void {
    this.lines.push({ level: "error", event, fields });
  }
}
