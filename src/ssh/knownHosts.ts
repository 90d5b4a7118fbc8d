import { aliasOf, type HostEntry } from './hostEntries';

/**
 * The content of our own known_hosts. A host key is read from a file inside the sandbox, where an agent is root: only
 * one that is nothing but a key is taken, so that no line for other hosts (`*`, `@cert-authority`) gets in.
 */
export function renderKnownHosts(entries: readonly HostEntry[]): string {
  return entries
    .flatMap(({ name, hostKey }) => {
      const key = publicKey(hostKey ?? '');
      return key === undefined ? [] : [`${aliasOf(name)} ${key}\n`];
    })
    .sort()
    .join('');
}

/** `type base64` of a public key line, without its comment; undefined when it is none. */
export function publicKey(line: string): string | undefined {
  const match = /^((?:ssh|ecdsa|sk)-[A-Za-z0-9@.-]{3,60} [A-Za-z0-9+/]{40,}={0,3})(?: [^\r\n]*)?\r?\n?$/.exec(line);
  return match?.[1];
}
