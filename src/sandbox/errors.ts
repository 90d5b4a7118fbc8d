/**
 * What went wrong, as a closed list. A face decides by kind what it offers (a button, an exit code); adapters and
 * use cases decide by kind what they do next. Nothing ever decides by message text.
 */
export type ErrorKind =
  | 'invalid' // the input cannot be right: a name, a label, a size
  | 'config' // the configuration cannot be used as it stands
  | 'not-found' // no such sandbox, checkpoint, image, file
  | 'exists' // the name or label is taken
  | 'busy' // something else is being done to it right now
  | 'wrong-state' // it must be running (or stopped) for this
  | 'no-space' // storage or memory is used up
  | 'unreachable' // no server there, or the connection broke
  | 'forbidden' // the server refuses this user
  | 'unsupported' // this server cannot do that
  | 'timeout' // it took longer than it may
  | 'cancelled' // the person said stop
  | 'protocol' // the server answered something that we do not understand
  | 'failed'; // the server tried and failed, or anything else

/**
 * The one error type that leaves a room. `message` is a sentence for a person: what failed, and why. `hint` is the
 * next step, also a sentence. `cause` is for the log.
 */
export class PixelsError extends Error {
  override readonly name = 'PixelsError';
  readonly kind: ErrorKind;
  readonly hint: string | undefined;

  constructor(kind: ErrorKind, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.hint = options.hint;
  }
}

/** True for a {@link PixelsError} of one of these kinds. */
export function isKind<K extends ErrorKind>(
  error: unknown,
  ...kinds: K[]
): error is PixelsError & { readonly kind: K } {
  return error instanceof PixelsError && (kinds as ErrorKind[]).includes(error.kind);
}

/** Any thrown value as a {@link PixelsError}; an aborted signal's reason becomes kind `cancelled`. */
export function toPixelsError(error: unknown): PixelsError {
  if (error instanceof PixelsError) return error;
  if (error instanceof Error && (error.name === 'AbortError' || error.name === 'CanceledError')) return cancelled();
  return new PixelsError('failed', textOf(error), { cause: error });
}

/** The error of an action that a person cancelled. */
export function cancelled(): PixelsError {
  return new PixelsError('cancelled', 'Cancelled.');
}

/** The sentence and its hint, as a person reads them. */
export function sentence(error: PixelsError): string {
  return error.hint === undefined ? error.message : `${error.message} ${error.hint}`;
}

/** Every message in the cause chain, outermost first, one per line, with the innermost stack: for the log only. */
export function causeChain(error: unknown): string {
  const lines: string[] = [];
  let current: unknown = error;
  for (let depth = 0; current !== undefined && depth < 10; depth++) {
    if (!(current instanceof Error)) {
      lines.push(textOf(current));
      break;
    }
    const last = current.cause === undefined;
    lines.push(last && !(current instanceof PixelsError) ? (current.stack ?? current.message) : current.message);
    current = current.cause;
  }
  return lines.join('\ncaused by: ');
}

function textOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message;
  return typeof thrown === 'string' ? thrown : `Something that is no error was thrown: ${JSON.stringify(thrown)}`;
}
