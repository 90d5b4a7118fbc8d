/**
 * A text that comes from somewhere else (out of a sandbox, from a server), for a notification, which would make a link that
 * runs a command out of `[text](command:…)`.
 */
export function plainText(text: string): string {
  return text.replaceAll('](', '] (');
}
