/** What the lab wanted to show, and what did not come true. */

export class LabError extends Error {
  override readonly name = "LabError";
}
