import { outputOf } from '../sandbox/exec';
import type { SetUpNeeds } from '../sandbox/guest';
import type { Run, SandboxHost } from '../sandbox/host';
import type { SandboxName } from '../sandbox/name';
import { findRecipe, type RecipePlaces } from './recipes';

/** Prints where packages come from, after a line `incomplete` where what a login needs has to be installed first. */
const SOURCES = `
  { [ -x /usr/sbin/sshd ] && command -v sudo >/dev/null; } || echo incomplete
  { cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null | sed 's/#.*//'
    apt-config dump 2>/dev/null | grep -i '::proxy '; } | grep -oE 'https?://[^/" ]+' | sort -u`;

export interface NeedsOptions extends RecipePlaces {
  readonly npmRegistry?: (() => Promise<string | undefined>) | undefined;
  /** The address of the proxy that a sandbox is told to use. */
  readonly proxy: string | undefined;
}

/** See `GuestSetup.needs`. */
export async function needsOf(
  host: SandboxHost,
  name: SandboxName,
  { recipe, editor, isNew }: SetUpNeeds,
  { npmRegistry, proxy, ...places }: NeedsOptions,
  { signal }: Run,
): Promise<readonly string[]> {
  const [registry, network, sources] = await Promise.all([
    recipe === undefined ? undefined : npmRegistry?.(),
    recipe === undefined ? [] : findRecipe(recipe, places).then((found) => found.network),
    isNew ? sourcesIn(host, name, signal) : undefined,
  ]);
  const isInstalling = recipe !== undefined || sources?.isComplete === false;
  if (!isInstalling && !editor) return [];
  const addresses = [
    ...(isInstalling ? (sources?.addresses ?? []) : []),
    ...[registry, proxy].filter((it) => it !== undefined),
  ];
  const groups = [...network, ...(editor ? ['@editor'] : []), ...(isInstalling && isNew ? ['@system'] : [])];
  return [...new Set([...groups, ...addresses.map((address) => new URL(address).host)])].sort();
}

async function sourcesIn(
  host: SandboxHost,
  name: SandboxName,
  signal: AbortSignal | undefined,
): Promise<{ readonly isComplete: boolean; readonly addresses: readonly string[] }> {
  const { stdout } = await outputOf(host, name, { command: ['sh', '-c', SOURCES] }, signal);
  const lines = stdout.split('\n').filter((line) => line !== '');
  const addresses = lines.filter((line) => URL.canParse(line));
  return { isComplete: !lines.includes('incomplete'), addresses };
}
