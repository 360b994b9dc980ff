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

interface Page {
  readonly paper: string;
  readonly ink: string;
  readonly quiet: string;
  readonly grid: string;
  readonly axis: string;
}

const PAGES: Readonly<Record<Mode, Page>> = {
  light: { paper: "#ffffff", ink: "#1f2328", quiet: "#59636e", grid: "#e4e8ec", axis: "#8c959f" },
  dark: { paper: "#0d1117", ink: "#e6edf3", quiet: "#9198a1", grid: "#262c34", axis: "#656c76" },
};
type Mode = "light" | "dark";

/** Colours are in classes, since they depend on who looks; and written out, since not every viewer knows variables. */
export function styleSheet(daemons: readonly string[]): string {
  return `<style>
text{font-family:system-ui,sans-serif;font-size:${FONT_SIZE}px}.title{font-size:16px;font-weight:600}.bold,.name{font-weight:600}
.line{fill:none;stroke-width:2}.open{stroke-width:2}
${colours("light", daemons)}
@media(prefers-color-scheme:dark){
${colours("dark", daemons)}
}
</style>`;
}

function colours(mode: Mode, daemons: readonly string[]): string {
  const { paper, ink, quiet, grid, axis } = PAGES[mode];
  const page = `text{fill:${ink}}.quiet{fill:${quiet}}.paper{fill:${paper}}.grid{stroke:${grid}}.axis{stroke:${axis}}`;
  const own = daemons.map((daemon) => {
    const [name, colour] = [className(daemon), daemonStyle(daemon)[mode]];
    const filled = `.${name} .mark,.${name} .name,.${name} .bar{fill:${colour}}`;
    return `${filled}.${name} .mark{stroke:${paper}}.${name} .line{stroke:${colour}}.${name} .open{fill:${paper};stroke:${colour}}`;
  });
  return [page, ...own].join("\n");
}

export function className(daemon: string): string {
  return `d-${daemon.replace(/[^a-z0-9]/gi, "-")}`;
}
