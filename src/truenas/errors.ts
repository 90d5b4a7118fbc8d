import { PixelsError, type ErrorKind } from '../sandbox/errors';

/** What a call is about: it chooses the words of an error. */
export interface About {
  /** Bare name of the sandbox. */
  readonly sandbox?: string | undefined;
  readonly checkpoint?: string | undefined;
  readonly image?: string | undefined;
}

/** What the server has against one argument; on the wire a triple `[attribute, message, errno]` in `extra`. */
export interface Complaint {
  /** `virt_instance_create.name`; undefined when it is about no argument in particular. */
  readonly attribute: string | undefined;
  readonly message: string;
  readonly errno: number;
}

/** What the server says about its no; see the constants in {@link Errno} for the numbers. */
export interface RefusalDetails {
  /** JSON-RPC's code; undefined when a job failed. */
  readonly code?: number | undefined;
  readonly errno?: number | undefined;
  readonly errname?: string | undefined;
  readonly extra?: readonly Complaint[] | undefined;
  /** The server's own words. */
  readonly reason: string;
  /** The first and last lines that a failed job wrote. */
  readonly logs?: string | undefined;
}

/** TrueNAS said no, for the log and for decisions by number. It is the `cause` of a {@link PixelsError}. */
export class TrueNasRefusal extends Error {
  readonly code: number | undefined;
  /**
   * Linux' numbers, TrueNAS' own from 201 on. A validation error always comes as EINVAL and has the real number in
   * `extra` only; here it is the first of those that says more than EINVAL.
   */
  readonly errno: number | undefined;
  readonly errname: string | undefined;
  readonly extra: readonly Complaint[];
  readonly logs: string | undefined;

  constructor(
    readonly method: string,
    { code, errno, errname, extra = [], reason, logs }: RefusalDetails,
  ) {
    super(reason);
    this.code = code;
    this.errno = extra.find((complaint) => complaint.errno !== Errno.EINVAL)?.errno ?? errno ?? extra[0]?.errno;
    this.errname = errname;
    this.extra = extra;
    this.logs = logs;
  }
}

export const Errno = {
  EPERM: 1,
  ENOENT: 2,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  EINVAL: 22,
  ENOSPC: 28,
  ENAMETOOLONG: 36,
  ENOSYS: 38,
  ENOTEMPTY: 39,
  EOPNOTSUPP: 95,
  ETIMEDOUT: 110,
  EDQUOT: 122,
  ENOMETHOD: 201,
  EDATASETISLOCKED: 205,
  ENOTAUTHENTICATED: 207,
} as const;

/** JSON-RPC's codes and TrueNAS' own, which are no errnos. */
export const RpcCode = { missingMethod: -32601, tooManyCalls: -32000 } as const;

/** The server's refusal behind this error, if that is what it is. */
export function refusalOf(error: unknown): TrueNasRefusal | undefined {
  if (error instanceof TrueNasRefusal) return error;
  return error instanceof PixelsError && error.cause instanceof TrueNasRefusal ? error.cause : undefined;
}

/** Whether the server refused for one of these reasons. */
export function isRefusal(error: unknown, ...errnos: number[]): boolean {
  const errno = refusalOf(error)?.errno;
  return errno !== undefined && errnos.includes(errno);
}

/** Whether this server has no such method. */
export function isMissingMethod(error: unknown): boolean {
  const refusal = refusalOf(error);
  return refusal?.code === RpcCode.missingMethod || refusal?.errno === Errno.ENOMETHOD;
}

interface Rule {
  readonly kind: ErrorKind;
  readonly message: (about: About, words: string) => string;
  readonly hint?: string;
}

const sandbox = (about: About): string => about.sandbox ?? 'the sandbox';

const RULES: Readonly<Record<number, Rule>> = {
  [Errno.ENOENT]: {
    kind: 'not-found',
    message: (about, words) => {
      if (about.checkpoint !== undefined) return `There is no checkpoint "${about.checkpoint}" of ${sandbox(about)}.`;
      if (about.image !== undefined) return `There is no image "${about.image}".`;
      if (about.sandbox !== undefined) return `There is no sandbox "${about.sandbox}".`;
      return `There is no such thing on TrueNAS: ${words}.`;
    },
  },
  [Errno.EEXIST]: {
    kind: 'exists',
    message: (about, words) => {
      if (about.checkpoint !== undefined)
        return `There is already a checkpoint "${about.checkpoint}" of ${sandbox(about)}.`;
      if (about.sandbox !== undefined) return `There is already a sandbox named "${about.sandbox}".`;
      return `This is already there on TrueNAS: ${words}.`;
    },
    hint: 'Choose another name.',
  },
  [Errno.EBUSY]: {
    kind: 'busy',
    message: (about) => `Something else is being done to ${sandbox(about)} right now.`,
    hint: 'Try again when that has finished.',
  },
  [Errno.ENOSPC]: {
    kind: 'no-space',
    message: () => 'The storage of TrueNAS is full.',
    hint: 'Delete checkpoints or sandboxes that are no longer needed, or enlarge the pool.',
  },
  [Errno.ENOMEM]: {
    kind: 'no-space',
    message: () => 'TrueNAS has no memory left.',
    hint: 'Stop sandboxes that are not needed now.',
  },
  [Errno.EACCES]: {
    kind: 'forbidden',
    message: (_, words) => `TrueNAS does not allow this: ${words}.`,
    hint: "The API key's user needs a role that allows it; a full administrator has them all.",
  },
  [Errno.ENOTAUTHENTICATED]: {
    kind: 'forbidden',
    message: () => 'TrueNAS has ended the session.',
    hint: 'Try again.',
  },
  [Errno.EINVAL]: { kind: 'invalid', message: (_, words) => `TrueNAS does not accept this: ${words}.` },
  [Errno.ENOTEMPTY]: { kind: 'wrong-state', message: (_, words) => `Something depends on this: ${words}.` },
  [Errno.ETIMEDOUT]: {
    kind: 'timeout',
    message: (_, words) => `TrueNAS gave up waiting: ${words}.`,
    hint: 'See whether it is overloaded, then try again.',
  },
  [Errno.EOPNOTSUPP]: { kind: 'unsupported', message: (_, words) => `This TrueNAS cannot do that: ${words}.` },
  [Errno.EDATASETISLOCKED]: {
    kind: 'wrong-state',
    message: () => 'The dataset on TrueNAS is locked.',
    hint: 'Unlock it in TrueNAS first.',
  },
};

const SAME_AS: Readonly<Record<number, number>> = {
  [Errno.EPERM]: Errno.EACCES,
  [Errno.EAGAIN]: Errno.EBUSY,
  [Errno.EDQUOT]: Errno.ENOSPC,
  [Errno.ENAMETOOLONG]: Errno.EINVAL,
  [Errno.ENOSYS]: Errno.EOPNOTSUPP,
  [Errno.ENOMETHOD]: Errno.EOPNOTSUPP,
};

/** The server's no as a person reads it: the kind by number, never by text, in our words where we have some. */
export function refused(refusal: TrueNasRefusal, about: About = {}): PixelsError {
  const { kind, message, hint } = ruleFor(refusal);
  const options = hint === undefined ? { cause: refusal } : { hint, cause: refusal };
  return new PixelsError(kind, message(about, wordsOf(refusal)), options);
}

function ruleFor({ code, errno, method }: TrueNasRefusal): Rule {
  if (code === RpcCode.missingMethod) {
    return {
      kind: 'unsupported',
      message: () => `This TrueNAS has no ${method}.`,
      hint: 'Pixels is made for TrueNAS 25.04.2 and newer.',
    };
  }
  if (code === RpcCode.tooManyCalls) {
    return { kind: 'busy', message: () => 'TrueNAS is asked too much at once.', hint: 'Try again in a moment.' };
  }
  const rule = errno === undefined ? undefined : RULES[SAME_AS[errno] ?? errno];
  return rule ?? { kind: 'failed', message: (_, words) => `TrueNAS could not do that: ${words}.` };
}

const LONGEST_WORDS = 300;

/** The server's words in one line, without `[EFAULT]` and with the last part of an attribute's name. */
function wordsOf({ extra, message, method }: TrueNasRefusal): string {
  const words = extra.map((complaint) => {
    const field = complaint.attribute?.split('.').at(-1);
    return field === undefined ? complaint.message : `${field}: ${complaint.message}`;
  });
  const said = (words.length > 0 ? words : [message.replace(/\[E[A-Z0-9_]+\] /g, '')]).join('; ');
  // eslint-disable-next-line no-control-regex -- a terminal must not obey what a server says
  const line = said.replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ').trim();
  return line.slice(0, LONGEST_WORDS).replace(/[.;\s]+$/, '') || method;
}
