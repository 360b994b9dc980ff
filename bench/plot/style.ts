/** How plots look: one colour and one mark for each daemon, the same in every plot, readable on light and on dark pages. */

export const WIDTH = 720;
export const HEIGHT = 440;
export const FONT_SIZE = 13;

interface DaemonStyle {
  readonly light: string;
  readonly dark: string;
  readonly mark: "circle" | "square" | "triangle" | "diamond" | "cross" | "ring";
}

/** Told apart without colour by their marks, and by their names at the end of each line. */
const STYLES: Readonly<Record<string, DaemonStyle>> = {
  starling: { light: "#c2410c", dark: "#fb923c", mark: "circle" },
  bird: { light: "#1d4ed8", dark: "#7cb0ff", mark: "square" },
  frr: { light: "#15803d", dark: "#5fd38a", mark: "triangle" },
  openbgpd: { light: "#7e22ce", dark: "#c99bff", mark: "diamond" },
  gobgpd: { light: "#a16207", dark: "#e3b341", mark: "cross" },
  relay: { light: "#6b7280", dark: "#9ca3af", mark: "ring" },
};
const OTHER: DaemonStyle = { light: "#be185d", dark: "#f58bbd", mark: "ring" };

export function daemonStyle(daemon: string): DaemonStyle {
  return STYLES[daemon] ?? OTHER;
}

/** Class names, since a colour depends on who looks. */
export function styleSheet(daemons: readonly string[]): string {
  const colours = (mode: "light" | "dark") =>
    daemons.map((daemon) => `.${className(daemon)}{--c:${daemonStyle(daemon)[mode]}}`).join("");
  return `<style>
text{font-family:system-ui,sans-serif;font-size:${FONT_SIZE}px;fill:var(--ink)}
.title{font-size:16px;font-weight:600}.quiet{fill:var(--quiet)}.bold{font-weight:600}
svg{--paper:#fff;--ink:#1f2328;--quiet:#59636e;--grid:#e4e8ec;--axis:#8c959f}
.paper{fill:var(--paper)}.grid{stroke:var(--grid)}.axis{stroke:var(--axis)}
.line{fill:none;stroke:var(--c);stroke-width:2}.mark{fill:var(--c);stroke:var(--paper)}.open{fill:var(--paper);stroke:var(--c);stroke-width:2}
.name{fill:var(--c);font-weight:600}.bar{fill:var(--c)}
${colours("light")}
@media(prefers-color-scheme:dark){svg{--paper:#0d1117;--ink:#e6edf3;--quiet:#9198a1;--grid:#262c34;--axis:#656c76}
${colours("dark")}}
</style>`;
}

export function className(daemon: string): string {
  return `d-${daemon.replace(/[^a-z0-9]/gi, "-")}`;
}
