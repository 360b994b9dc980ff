/** Times as BIRD 1.6 writes them, in the time zone of the machine. */

/** BIRD's own bound: what is younger is told by its time of day. */
const TIME_OF_DAY_MILLISECONDS = 20 * 3600 * 1000;

/** "2026-01-31 23:59:59". */
export function dateAndTime(at: number): string {
  const date = new Date(at);
  return `${dayOf(date)} ${timeOf(date)}`;
}

/** The time of day of what happened in the last 20 hours, the day of what is older. */
export function since(at: number, now: number): string {
  const date = new Date(at);
  return now - at < TIME_OF_DAY_MILLISECONDS ? timeOf(date) : dayOf(date);
}

function dayOf(date: Date): string {
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

function timeOf(date: Date): string {
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

function two(number: number): string {
  return number < 10 ? `0${number}` : String(number);
}
