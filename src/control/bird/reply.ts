/**
 * How BIRD writes an answer: each line begins with the four digits of its code and `-`, the last one with a blank instead; a line
 * with the code of the line before begins with one blank alone.
 */

/** What BIRD's codes mean, as far as starling gives them. The first digit: 0 done, 1 data, 2 table heading, 8 refused, 9 wrong. */
export const Code = {
  Done: 0,
  Welcome: 1,
  Reading: 2,
  Reconfigured: 3,
  AlreadyDisabled: 8,
  Disabled: 9,
  AlreadyEnabled: 10,
  Enabled: 11,
  Restarted: 12,
  StatusEnd: 13,
  RouteCount: 14,
  Reloading: 15,
  Restricted: 16,
  Confirmed: 18,
  ConfigurationOk: 20,
  RestartInProgress: 24,
  Version: 1000,
  Interface: 1001,
  Protocol: 1002,
  InterfaceAddress: 1003,
  InterfaceFlags: 1004,
  InterfaceSummary: 1005,
  ProtocolDetails: 1006,
  Route: 1007,
  RouteType: 1008,
  StaticRoute: 1009,
  Symbol: 1010,
  RouterFacts: 1011,
  RouteAttributes: 1012,
  Memory: 1018,
  ProtocolHeading: 2002,
  InterfaceHeading: 2005,
  NoRoute: 8001,
  ConfigurationError: 8002,
  NoProtocols: 8003,
  ProtocolDown: 8005,
  ReloadFailed: 8006,
  AccessDenied: 8007,
  TooLong: 9000,
  Wrong: 9001,
  NotAProtocol: 9002,
} as const;
export type Code = (typeof Code)[keyof typeof Code];

export interface Line {
  readonly code: Code;
  readonly text: string;
}

/** Lines as they come, undefined where others should have their turn; the line that it returns ends the answer. */
export type Answer = Generator<Line | undefined, Line>;

/** Control characters but for the tab. */
const ENDS_LINES = /(?!\t)\p{Cc}/u;
const ALL_THAT_END_LINES = /(?:(?!\t)\p{Cc})+/gu;

export const DONE: Line = { code: Code.Done, text: "" };

export class Reply {
  #before: Code | undefined;

  /** One that others follow. */
  line({ code, text }: Line): string {
    const start = code === this.#before ? " " : `${digits(code)}-`;
    this.#before = code;
    return `${start}${oneLine(text)}\n`;
  }

  end({ code, text }: Line): string {
    return `${digits(code)} ${oneLine(text)}\n`;
  }
}

export function* only(line: Line): Answer {
  yield* [] as Line[];
  return line;
}

function digits(code: Code): string {
  return String(code).padStart(4, "0");
}

/** What comes from peers, files or clients must not end a line: its rest could look like a code. */
function oneLine(text: string): string {
  return ENDS_LINES.test(text) ? text.replace(ALL_THAT_END_LINES, " ") : text;
}
