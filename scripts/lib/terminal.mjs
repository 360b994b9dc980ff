/** What the scripts print: steps with their time, colour only where a person looks on. */

const colour = process.stdout.isTTY && !process.env.CI && !process.env.NO_COLOR;

/** For programs that would otherwise colour what a build server keeps. */
export const colourEnvironment = colour ? {} : { NO_COLOR: "1" };

const paint = (code) => (text) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
export const bold = paint("1");
const dim = paint("2");
export const red = paint("31");
const green = paint("32");
const yellow = paint("33");

/** @param {string} text */
export const say = (text) => process.stdout.write(`${text}\n`);

/** "0.4 s", "12 s", "3 min 05 s". */
export function seconds(milliseconds) {
  const total = milliseconds / 1000;
  if (total < 10) return `${total.toFixed(1)} s`;
  if (total < 120) return `${Math.round(total)} s`;
  return `${Math.floor(total / 60)} min ${String(Math.round(total % 60)).padStart(2, "0")} s`;
}

/** One line for a step that ended: its mark, its name, its time, and what there is to add. */
export function stepLine(mark, name, milliseconds, note = "") {
  return `${mark} ${name.padEnd(22)} ${dim(seconds(milliseconds).padStart(8))}${note === "" ? "" : `  ${note}`}`;
}

export const marks = { passed: green("✓"), failed: red("✗"), skipped: yellow("-") };

/**
 * Ends the script: one line that says what is wrong and what to do.
 * @param {string} message
 * @returns {never}
 */
export function fail(message, status = 1) {
  process.stderr.write(`${red("error:")} ${message}\n`);
  process.exit(status);
}
