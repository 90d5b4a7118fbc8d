/** So many aliases fit into a sentence. */
const MOST_NAMED = 8;

/** Some of the images that there are: those of the same system as the one that there is not, and then others. */
export function similarTo(image: string, aliases: readonly string[]): string[] {
  const [system = ''] = image.replace(/^images:/, '').split(/[/:]/);
  const isNear = (alias: string): boolean => alias.startsWith(`${system}/`);
  return [...aliases.filter(isNear), ...aliases.filter((alias) => !isNear(alias))].slice(0, MOST_NAMED);
}
