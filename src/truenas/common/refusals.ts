import { PixelsError, type ErrorKind } from '../../sandbox/errors';
import { refusalOf, type About, type TrueNasRefusal } from '../errors';
import { ownerOf } from './names';
import { isProtected } from './protectedPath';

interface Rule {
  readonly text: RegExp;
  readonly kind: ErrorKind;
  readonly message: (about: About, match: RegExpExecArray) => string;
  readonly hint?: string;
}

const sandbox = ({ sandbox: name }: About): string => name ?? 'the sandbox';

/**
 * What TrueNAS passes on from Incus and ZFS as text only, with errno EFAULT (14) or EINVAL (22) for everything; the
 * first line that fits. The texts are those of Incus 6.0, OpenZFS 2.2 and of the plugins themselves.
 */
const RULES: readonly Rule[] = [
  {
    text: /(virt_instance|container)_create\.name\b.*already exists|Instance "?\S+"? already exists|"instances" entry.* already exists/is,
    kind: 'exists',
    message: (about) => `There is already a sandbox named "${sandbox(about)}".`,
    hint: 'Choose another name.',
  },
  {
    text: /virt_instance_create\.storage_pool\b|container_create\.pool\b/,
    kind: 'not-found',
    message: () => 'TrueNAS has no such pool for containers.',
    hint: 'See the page Containers of its web interface for those that there are.',
  },
  {
    text: /couldn't find requested image|requested image couldn't be found|Image not (found|provided)|Alias not found|Image_alias not found|No matching image/i,
    kind: 'not-found',
    message: ({ image }) => `There is no image "${image ?? ''}" on the image server.`,
  },
  {
    text: /Failed getting remote image info|Failed parsing stream|Failed getting image|simplestreams|images\.linuxcontainers\.org/i,
    kind: 'unreachable',
    message: () => 'The image server cannot be reached from TrueNAS.',
    hint: 'See whether TrueNAS has a name server and a way to the internet.',
  },
  {
    text: /no space left on device|out of space|disk quota exceeded|not enough space|insufficient space|ENOSPC|EDQUOT/i,
    kind: 'no-space',
    message: () => 'The storage of TrueNAS is full.',
    hint: 'Delete checkpoints or sandboxes that are no longer needed, or enlarge the pool.',
  },
  {
    text: /CronTask .*cannot open [^\n]*does not exist/is,
    kind: 'not-found',
    message: (about) => `What was to be copied of ${sandbox(about)} is not there any more.`,
    hint: 'Destroy the copy, and make another.',
  },
  {
    text: /CronTask .*?\b(cannot [^\n]+)/s,
    kind: 'failed',
    message: (about, [, words = '']) => `The files of ${sandbox(about)} could not be copied: ${words}.`,
  },
  {
    text: /CronTask .* exited with \d+/s,
    kind: 'failed',
    message: (about) => `The files of ${sandbox(about)} could not be copied.`,
    hint: 'The web interface of TrueNAS has the log of the job.',
  },
  {
    text: /cannot allocate memory|out of memory|ENOMEM/i,
    kind: 'no-space',
    message: () => 'TrueNAS has no memory left.',
    hint: 'Stop sandboxes that are not needed now.',
  },
  {
    text: /has dependent clones:?\s*([^\n]*)/i,
    kind: 'wrong-state',
    message: (about, [, clones = '']) => `${checkpoint(about)} cannot be deleted: ${dependents(clones)} depends on it.`,
    hint: 'Destroy that first.',
  },
  {
    text: /clones of previous snapshots exist(.*)/is,
    kind: 'wrong-state',
    message: (about, [, clones = '']) =>
      `${sandbox(about)} cannot go back to ${about.checkpoint ?? 'it'}: ${dependents(clones)} depends on something newer.`,
    hint: 'Destroy that first, or make a new sandbox from the checkpoint.',
  },
  {
    text: /rollback.*dataset is busy|cannot destroy snapshot.*(busy|hold)/is,
    kind: 'wrong-state',
    message: (about) =>
      `${sandbox(about)} cannot go back to ${about.checkpoint ?? 'it'}: somebody holds a newer snapshot of it on TrueNAS.`,
    hint: 'Release that in the web interface of TrueNAS, or make a new sandbox from the checkpoint.',
  },
  {
    text: /Failed shutting down instance|context deadline exceeded/i,
    kind: 'timeout',
    message: (about) => `${capital(sandbox(about))} did not shut down in time.`,
    hint: 'Stop it by force.',
  },
  {
    text: /(instance|domain|Container '[^']*') is already running/i,
    kind: 'wrong-state',
    message: (about) => `${capital(sandbox(about))} is already running.`,
  },
  {
    text: /instance is already stopped|Instance is not running|Container must be running/i,
    kind: 'wrong-state',
    message: (about) => `${capital(sandbox(about))} is not running.`,
    hint: 'Start it first.',
  },
  {
    text: /(Instance|Container '[^']*') is running|must be stopped/i,
    kind: 'wrong-state',
    message: (about) => `${capital(sandbox(about))} is running.`,
    hint: 'Stop it first.',
  },
  {
    text: /Instance is busy|already (running|in progress)|(dataset|pool|resource|device) (is )?busy|is currently in use/i,
    kind: 'busy',
    message: (about) => `Something else is being done to ${sandbox(about)} right now.`,
    hint: 'Try again when that has finished.',
  },
  {
    text: /pending network changes/i,
    kind: 'wrong-state',
    message: () => 'TrueNAS has changes of its network that nobody has confirmed yet.',
    hint: 'Confirm or revert them in its web interface, on the page Network.',
  },
  {
    text: /Virtualization not (initialized|started)/i,
    kind: 'busy',
    message: () => 'The containers of this TrueNAS are not ready.',
    hint: 'See the page Containers of its web interface.',
  },
  {
    text: /^(\[\w+\] )?Timed out/i,
    kind: 'timeout',
    message: () => 'TrueNAS stopped waiting; it may still finish by itself.',
  },
];

/** The same error, in our words where TrueNAS said only in text what is wrong. */
export function explained(error: unknown, about: About): unknown {
  const refusal = refusalOf(error);
  if (refusal === undefined) return error;
  if (isProtected(error)) return protectedDatasets(about, refusal);
  const text = textOf(refusal);
  for (const { text: pattern, kind, message, hint } of RULES) {
    const match = pattern.exec(text);
    if (match === null) continue;
    return new PixelsError(
      kind,
      message(about, match),
      hint === undefined ? { cause: refusal } : { hint, cause: refusal },
    );
  }
  return error;
}

/** What `action` gives; what it throws is {@link explained}. */
export async function explaining<T>(about: About, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw explained(error, about);
  }
}

function protectedDatasets(about: About, cause: TrueNasRefusal): PixelsError {
  const what = about.sandbox === undefined ? 'a sandbox' : about.sandbox;
  return new PixelsError(
    'unsupported',
    `This version of TrueNAS protects the datasets of containers, so that no checkpoint of ${what} can be taken, restored or deleted.`,
    { hint: 'A copy of the sandbox as it is now can still be made.', cause },
  );
}

function textOf({ message, extra, logs }: TrueNasRefusal): string {
  const complaints = extra.map((complaint) => `${complaint.attribute ?? ''}: ${complaint.message}`);
  return [message, ...complaints, logs ?? ''].join('\n');
}

function checkpoint({ checkpoint: label, ...about }: About): string {
  return label === undefined ? 'This checkpoint' : `The checkpoint ${label} of ${sandbox(about)}`;
}

/** Names of the sandboxes that datasets (`tank/.ix-virt/containers/px-b`) or their snapshots are of; of others, the last part. */
function dependents(datasets: string): string {
  const found = [...datasets.matchAll(/[^\s,'"\\]+\/[^\s,/'"\\@]+/g)].map(([dataset]) => ownerOf(dataset));
  return found.length === 0 ? 'another dataset' : [...new Set(found)].join(', ');
}

function capital(text: string): string {
  return text.startsWith('the ') ? `T${text.slice(1)}` : text;
}
