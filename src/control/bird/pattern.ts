/** BIRD's shell patterns for names: `*` is anything, `?` one character, a backslash takes the next character as it is. */

/** In time that grows with the product of the lengths, whatever a client asks for. */
export function matcher(pattern: string): (name: string) => boolean {
  const steps = stepsOf(pattern);
  return (name) => {
    let position = 0;
    let step = 0;
    let star = -1;
    let resumeAt = 0;
    while (position < name.length) {
      const wanted = steps[step];
      if (wanted === "any") {
        star = step++;
        resumeAt = position;
      } else if (wanted === "one" || wanted?.slice(1) === name[position]) {
        step++;
        position++;
      } else if (star >= 0) {
        step = star + 1;
        position = ++resumeAt;
      } else return false;
    }
    while (steps[step] === "any") step++;
    return step === steps.length;
  };
}

/** Literal characters with a mark in front, so that none reads as a step of another kind. */
function stepsOf(pattern: string): readonly string[] {
  const steps: string[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i] as string;
    if (character === "*") steps.push("any");
    else if (character === "?") steps.push("one");
    else if (character === "\\" && i + 1 < pattern.length) steps.push(`=${pattern[++i]}`);
    else steps.push(`=${character}`);
  }
  return steps;
}
