/** How many CPUs are in a set: `0-3,6` are 5. Undefined when it is no set. */
export function cpusIn(set: string): number | undefined {
  let count = 0;
  for (const range of set.split(',').map((part) => /^(\d+)(?:-(\d+))?$/.exec(part.trim()))) {
    if (range === null) return undefined;
    const [, first, last = first] = range;
    count += Number(last) - Number(first) + 1;
  }
  return count;
}
