/** Numbers and times as people say them. */

const UNITS = [
  ["d", 86_400],
  ["h", 3_600],
  ["m", 60],
  ["s", 1],
] as const;

/** The two largest units: "3d 4h", "12m 5s", "0s". */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const first = UNITS.findIndex(([, size]) => whole >= size);
  if (first === -1) return "0s";
  const [unit, size] = UNITS[first] ?? UNITS[3];
  const next = UNITS[first + 1];
  const rest = next === undefined ? 0 : Math.floor((whole % size) / next[1]);
  const large = `${Math.floor(whole / size)}${unit}`;
  return next === undefined || rest === 0 ? large : `${large} ${rest}${next[0]}`;
}

/** From a moment in RFC 3339 until now. */
export function since(moment: string, now: number): string {
  const then = Date.parse(moment);
  return Number.isNaN(then) ? "-" : duration((now - then) / 1000);
}

export function bytes(count: number): string {
  let value = count;
  for (const unit of ["B", "KiB", "MiB"]) {
    if (value < 1024) return `${value < 10 && unit !== "B" ? value.toFixed(1) : Math.round(value)} ${unit}`;
    value /= 1024;
  }
  return `${value.toFixed(1)} GiB`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
