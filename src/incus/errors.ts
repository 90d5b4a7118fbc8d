import { PixelsError, type ErrorKind } from '../sandbox/errors';
import type { CheckpointLabel, SandboxName } from '../sandbox/name';

/** What a call is about: the words that a sentence about its failure needs. */
export interface About {
  readonly name?: SandboxName | undefined;
  readonly label?: CheckpointLabel | undefined;
  readonly path?: string | undefined;
  readonly image?: string | undefined;
}

/** Incus said no: its status and its own words, for the log. `rule` is the line of {@link RULES} that knew it. */
export class IncusRefusal extends Error {
  constructor(
    readonly status: number,
    text: string,
    readonly rule: RuleId | undefined,
  ) {
    super(text);
  }
}

type RuleId =
  | 'already-running'
  | 'already-stopped'
  | 'no-such-command'
  | 'not-executable'
  | 'between-states'
  | 'etag'
  | 'no-such-image'
  | 'no-such-network'
  | 'image-server';

interface Rule {
  readonly id?: RuleId;
  /** Absent: any status. */
  readonly status?: number;
  readonly text?: RegExp;
  readonly kind: ErrorKind;
  readonly message: (about: About) => string;
  readonly hint?: string;
}

const sandbox = ({ name }: About): string => name ?? 'The sandbox';

/**
 * Incus' words to ours; the first line that fits. The texts are those of Incus 6.0 (some failures have no status of their
 * own: an operation that failed is always 500).
 */
const RULES: readonly Rule[] = [
  {
    text: /UNIQUE constraint failed: instances_snapshots|snapshot.* already (exists|in use)/i,
    kind: 'exists',
    message: ({ name, label }) => `${name ?? 'The sandbox'} already has a checkpoint "${label ?? ''}".`,
    hint: 'Choose another label, or delete that checkpoint first.',
  },
  {
    text: /UNIQUE constraint failed: instances\.|(instance|"instances" entry).* already exists/i,
    kind: 'exists',
    message: ({ name }) => `There is already a sandbox named "${name ?? ''}".`,
    hint: 'Choose another name.',
  },
  {
    text: /DNS name .* already used on network/i,
    kind: 'exists',
    message: ({ name }) =>
      `Another Incus project has an instance with the name of "${name ?? ''}" on the same network.`,
    hint: 'Choose another name.',
  },
  {
    text: /Instance_snapshot not found|Snapshot .* does not exist/i,
    kind: 'not-found',
    message: ({ name, label }) => `${name ?? 'The sandbox'} has no checkpoint "${label ?? ''}".`,
  },
  {
    text: /Instance not found/,
    kind: 'not-found',
    message: ({ name }) => `There is no sandbox named "${name ?? ''}".`,
  },
  {
    text: /Project not found/,
    kind: 'config',
    message: () => 'The configured project does not exist on the server.',
    hint: 'Check incus.project in the configuration.',
  },
  {
    text: /Storage pool not found/,
    kind: 'not-found',
    message: () => 'There is no such storage pool on the server.',
    hint: 'See "incus storage list" for those that there are.',
  },
  {
    id: 'no-such-network',
    text: /Network not found/,
    kind: 'not-found',
    message: () => 'There is no such network on the server.',
    hint: 'See "incus network list" for those that there are.',
  },
  {
    text: /No root device could be found|root disk device.*(not found|missing)/i,
    kind: 'config',
    message: () => 'The server has no storage for sandboxes yet.',
    hint: 'Run "incus admin init" on it, or set defaults.pool.',
  },
  {
    id: 'no-such-image',
    text: /Image not provided|couldn't find requested image|requested image couldn't be found|Image not found|Alias not found|Image_alias not found/i,
    kind: 'not-found',
    message: ({ image }) => `There is no image "${image ?? ''}".`,
  },
  {
    id: 'image-server',
    text: /Failed getting remote image info|Failed parsing stream|Failed getting image|simplestreams/i,
    kind: 'unreachable',
    message: () => 'The image server cannot be reached from the Incus server.',
  },
  {
    text: /no space left on device|disk quota exceeded|not enough space|out of space|ENOSPC|EDQUOT/i,
    kind: 'no-space',
    message: () => "The server's storage is full.",
    hint: 'Delete checkpoints or sandboxes that are no longer needed, or enlarge the storage pool.',
  },
  {
    text: /cannot allocate memory|out of memory|ENOMEM/i,
    kind: 'no-space',
    message: () => 'The server has no memory left.',
    hint: 'Stop sandboxes that are not needed now.',
  },
  {
    text: /subsequent snapshot|more recent snapshot|zfs\.remove_snapshots/i,
    kind: 'unsupported',
    message: ({ name, label }) =>
      `${name ?? 'The sandbox'} cannot go back to ${label ?? 'it'}: on ZFS, Incus restores only the newest checkpoint.`,
    hint: 'Delete the newer checkpoints first, or make a new sandbox from this one.',
  },
  {
    id: 'already-running',
    text: /instance is already running/i,
    kind: 'wrong-state',
    message: (about) => `${sandbox(about)} is already running.`,
  },
  {
    id: 'already-stopped',
    text: /instance is already stopped/i,
    kind: 'wrong-state',
    message: (about) => `${sandbox(about)} is already stopped.`,
  },
  {
    text: /Instance is not running|instance (isn't|is currently not) running/i,
    kind: 'wrong-state',
    message: (about) => `${sandbox(about)} is not running.`,
    hint: 'Start it first.',
  },
  {
    text: /Instance is running|must be stopped|instance to be stopped/i,
    kind: 'wrong-state',
    message: (about) => `${sandbox(about)} is running.`,
    hint: 'Stop it first.',
  },
  {
    // Somebody else's look at its files has just ended, and with it the process that serves them.
    text: /forkfile\.sock: connect/,
    kind: 'busy',
    message: (about) => `The files of ${about.name ?? 'the sandbox'} cannot be reached right now.`,
    hint: 'Try again.',
  },
  {
    // 6.0.4 looked for the first process of an instance that runs, and that was not there yet, or not any more.
    id: 'between-states',
    text: /^Invalid PID /,
    kind: 'busy',
    message: (about) => `${sandbox(about)} is just starting or stopping.`,
    hint: 'Try again.',
  },
  {
    // Incus looked at every network card of the host, and that of an instance which stopped at this moment was gone.
    id: 'between-states',
    text: /^Failed to retrieve network information: /,
    kind: 'busy',
    message: () => 'Incus cannot look at the machine just now.',
    hint: 'Try again.',
  },
  {
    // A copy or creation whose client died is still under way: there is a record, but no volume yet.
    text: /Failed to write backup file: Failed to create mount directory/,
    kind: 'busy',
    message: (about) => `${sandbox(about)} is still being made.`,
    hint: 'Try again when that has finished.',
  },
  {
    text: /Instance is busy|operation .*already (running|in progress)|volume that has snapshots|resource busy|is currently in use/i,
    kind: 'busy',
    message: (about) => `Something else is being done to ${about.name ?? 'the sandbox'} right now.`,
    hint: 'Try again when that has finished.',
  },
  {
    text: /Failed shutting down instance/i,
    kind: 'timeout',
    message: (about) => `${sandbox(about)} did not shut down in time.`,
    hint: 'Stop it by force.',
  },
  { id: 'no-such-command', text: /Command not found/, kind: 'not-found', message: () => 'There is no such command.' },
  { id: 'not-executable', text: /Command not executable/, kind: 'failed', message: () => 'This cannot be executed.' },
  {
    text: /is a directory/i,
    kind: 'invalid',
    message: ({ name, path }) => `${path ?? 'This'} in ${name ?? 'the sandbox'} is a folder.`,
  },
  { id: 'etag', status: 412, kind: 'busy', message: (about) => `${sandbox(about)} is being changed by others.` },
  {
    status: 404,
    text: /^not found$/i,
    kind: 'not-found',
    message: ({ name, path }) => `There is no ${path ?? 'such thing'} in ${name ?? 'the sandbox'}.`,
  },
  {
    text: /project .*(limit|restrict)|limits\.(instances|containers)|Reached maximum|not allowed in project/i,
    kind: 'forbidden',
    message: () => "The project's limits on the server do not allow this.",
    hint: 'See "incus project show" for what they are.',
  },
  {
    status: 403,
    kind: 'forbidden',
    message: () => 'The server does not allow this.',
    hint: 'It has to trust your client certificate: "incus config trust add-certificate" on the server.',
  },
];

/** Incus' refusal as a {@link PixelsError}. Its own words are in the sentence only where we have none. */
export function refusal(status: number, text: string, about: About): PixelsError {
  const rule = RULES.find(
    (candidate) =>
      (candidate.status === undefined || candidate.status === status) && (candidate.text?.test(text) ?? true),
  );
  const cause = new IncusRefusal(status, text, rule?.id);
  if (rule === undefined) {
    const words = text.replace(/\.?\s*$/, '').slice(0, 300);
    return new PixelsError('failed', `Incus could not do that: ${words || `status ${status}`}.`, { cause });
  }
  return new PixelsError(
    rule.kind,
    rule.message(about),
    rule.hint === undefined ? { cause } : { hint: rule.hint, cause },
  );
}

/** Whether this error is Incus' refusal for that reason. */
export function isRefusal(error: unknown, ...rules: RuleId[]): boolean {
  const { cause } = error as { cause?: unknown };
  return cause instanceof IncusRefusal && cause.rule !== undefined && rules.includes(cause.rule);
}
