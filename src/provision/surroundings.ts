import { isIP } from 'node:net';
import { PixelsError } from '../sandbox/errors';
import { outputOf } from '../sandbox/exec';
import type { SandboxHost } from '../sandbox/host';
import type { SandboxName } from '../sandbox/name';
import { readAuthorities, type Authority } from './authorities';
import { environmentLine } from './environmentLine';
import { lastWords } from './lastWords';
import { aptProxyLines, proxyVariables, type ProxySettings } from './proxy';
import surroundingsScript from './surroundings.sh';

/** What a sandbox has to know before anything is downloaded in it. */
export interface Surroundings extends ProxySettings {
  /** For /etc/environment. They win over variables that follow from the rest. */
  readonly environment: Readonly<Record<string, string>>;
  /** Names of variables that an SSH session may bring along. */
  readonly acceptedNames: readonly string[];
  /** PEM files on this machine. */
  readonly authorityFiles: readonly string[];
  /** Addresses of name servers to ask instead of those that the network names. */
  readonly dns: readonly string[];
}

/** {@link Surroundings} as they are told. */
export interface SurroundingsOrder {
  /** What surroundings.sh reads. */
  readonly input: string;
  /** What apt needs in the environment of a command that is no login, beside its configuration: nothing secret. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Takes everything away that was told before. */
export const NOTHING_TO_TELL: SurroundingsOrder = { input: '.\n', environment: {} };

/** Where update-ca-certificates(8) puts together all that the system trusts. */
const SYSTEM_BUNDLE = '/etc/ssl/certs/ca-certificates.crt';

/** For programs that do not look there by themselves. */
const SYSTEM_BUNDLE_VARIABLES = [
  'SSL_CERT_FILE',
  'REQUESTS_CA_BUNDLE',
  'PIP_CERT',
  'CURL_CA_BUNDLE',
  'GIT_SSL_CAINFO',
  'CARGO_HTTP_CAINFO',
  'AWS_CA_BUNDLE',
  'DENO_CERT',
];

/** For programs that add to authorities of their own. surroundings.sh keeps the file. */
const EXTRA_AUTHORITIES = '/etc/pixels/authorities.pem';

/**
 * Reads the files and puts everything into the form in which it is told; undefined when there is nothing to tell.
 * @throws PixelsError `config` for a file that holds no certificate, and for what cannot be written in the sandbox.
 */
export async function surroundingsOrder(surroundings: Surroundings): Promise<SurroundingsOrder | undefined> {
  const { environment, acceptedNames, authorityFiles, dns } = surroundings;
  const authorities = await readAuthorities(authorityFiles);
  const derived = { ...authorityVariables(authorities), ...proxyVariables(surroundings) };
  const lines = [
    ...Object.entries({ ...derived, ...environment }).map(
      ([name, value]) => `e ${environmentLine(name, value, sourceOf(name, environment))}`,
    ),
    ...authorities.flatMap(({ name, pem }) => [
      `c ${name}`,
      ...pem
        .trim()
        .split('\n')
        .map((line) => `l ${line}`),
    ]),
    ...aptProxyLines(surroundings).map((line) => `a ${line}`),
    ...resolvedLines(dns).map((line) => `r ${line}`),
    ...(acceptedNames.length === 0 ? [] : [`s AcceptEnv ${acceptedNames.join(' ')}`]),
  ];
  if (lines.length === 0) return undefined;
  const { no_proxy: exceptions } = proxyVariables(surroundings);
  return {
    input: [...lines, '.', ''].join('\n'),
    environment: exceptions === undefined ? {} : { no_proxy: exceptions },
  };
}

/**
 * Tells a running sandbox, as root in it. Doing it again changes nothing.
 * @throws PixelsError `failed` with the last line of what went wrong inside.
 */
export async function tellSurroundings(
  host: SandboxHost,
  name: SandboxName,
  { input }: SurroundingsOrder,
  signal?: AbortSignal,
): Promise<void> {
  const request = { command: ['sh', '-c', surroundingsScript, 'pixels'] };
  const { exitCode, stderr } = await outputOf(host, name, request, signal, input);
  if (exitCode === 0) return;
  throw new PixelsError('failed', `Inside ${name}: ${lastWords(stderr, exitCode)}.`, {
    cause: new Error(`surroundings.sh ended with ${exitCode}: ${stderr}`),
  });
}

function authorityVariables(authorities: readonly Authority[]): Record<string, string> {
  if (authorities.length === 0) return {};
  const whole = SYSTEM_BUNDLE_VARIABLES.map((variable) => [variable, SYSTEM_BUNDLE]);
  return { ...Object.fromEntries(whole), NODE_EXTRA_CA_CERTS: EXTRA_AUTHORITIES } as Record<string, string>;
}

/** Without the domain, systemd-resolved would ask the network's servers as well, and take the first answer. */
function resolvedLines(dns: readonly string[]): readonly string[] {
  const odd = dns.find((address) => isIP(address) === 0);
  if (odd !== undefined) {
    throw new PixelsError('config', `defaults.dns must hold IP addresses, not "${odd}".`);
  }
  return dns.length === 0 ? [] : ['[Resolve]', `DNS=${dns.join(' ')}`, 'Domains=~.'];
}

function sourceOf(name: string, environment: Surroundings['environment']): string {
  if (name in environment) return `env.${name}`;
  return /^no_proxy$/i.test(name) ? 'provision.no_proxy' : 'provision.proxy';
}
