import * as z from 'zod/mini';
import { PixelsError } from '../sandbox/errors';
import type { CollectionEvent } from './api';
import type { Complaint, RefusalDetails } from './errors';

/** What a server's message is. */
export type Message =
  | { readonly kind: 'answer'; readonly id: unknown; readonly result: unknown }
  | { readonly kind: 'refusal'; readonly id: unknown; readonly details: RefusalDetails }
  | { readonly kind: 'event'; readonly collection: string; readonly event: CollectionEvent }
  | { readonly kind: 'unsubscribed'; readonly collection: string }
  | { readonly kind: 'unknown'; readonly method: string };

const messageSchema = z.union([
  z.object({ method: z.string(), params: z.optional(z.unknown()) }),
  z.object({ id: z.unknown(), result: z.optional(z.unknown()), error: z.optional(z.unknown()) }),
]);

const updateSchema = z.object({
  msg: z.enum(['added', 'changed', 'removed']),
  collection: z.string(),
  id: z.catch(z.optional(z.union([z.string(), z.number()])), undefined),
  fields: z.catch(z.record(z.string(), z.unknown()), {}),
});

const unsubscribedSchema = z.object({ collection: z.string() });

/**
 * Reads one text frame. It must be one JSON object that is an answer or a notification; beyond that, everything is
 * borne.
 * @throws PixelsError `protocol`.
 */
export function parseMessage(text: string): Message {
  const message = parseWire(messageSchema, parseJson(text), 'a message');
  if ('method' in message) return notification(message.method, message.params);
  const { id, error } = message;
  if (error !== undefined && error !== null) return { kind: 'refusal', id, details: detailsOf(error) };
  if ('result' in message) return { kind: 'answer', id, result: message.result };
  return { kind: 'refusal', id, details: { reason: 'an answer that says nothing' } };
}

function notification(method: string, params: unknown): Message {
  if (method === 'collection_update') {
    const update = z.safeParse(updateSchema, params);
    if (update.success) {
      const { msg, collection, id, fields } = update.data;
      return { kind: 'event', collection, event: { kind: msg, id, fields } };
    }
  }
  if (method === 'notify_unsubscribed') {
    const gone = z.safeParse(unsubscribedSchema, params);
    if (gone.success) return { kind: 'unsubscribed', collection: gone.data.collection };
  }
  return { kind: 'unknown', method };
}

const optionalNumber = z.catch(z.optional(z.number()), undefined);
const optionalText = z.catch(z.optional(z.string()), undefined);

const errorSchema = z.object({
  code: optionalNumber,
  message: optionalText,
  data: z.catch(
    z.object({
      error: optionalNumber,
      errname: optionalText,
      reason: optionalText,
      extra: z.optional(z.unknown()),
    }),
    {},
  ),
});

/** `error.data.trace` is left out: it has paths and arguments. */
function detailsOf(error: unknown): RefusalDetails {
  const parsed = z.safeParse(errorSchema, error);
  if (!parsed.success) return { reason: typeof error === 'string' ? error : 'an error that is none' };
  const { code, message, data } = parsed.data;
  const { error: errno, errname, reason, extra } = data;
  return { code, errno, errname, reason: reason ?? message ?? '', extra: complaintsIn(extra) };
}

const tripleSchema = z.tuple([z.nullish(z.string()), z.string(), z.number()], z.unknown());

/** The `[attribute, message, errno]` triples in `extra`; whatever else may be there is passed over. */
export function complaintsIn(extra: unknown): readonly Complaint[] {
  if (!Array.isArray(extra)) return [];
  return extra.flatMap((triple) => {
    const parsed = z.safeParse(tripleSchema, triple);
    if (!parsed.success) return [];
    const [attribute, message, errno] = parsed.data;
    return [{ attribute: attribute ?? undefined, message, errno }];
  });
}

/**
 * Parses what came over the wire.
 * @param what for the error: a method's name.
 * @throws PixelsError `protocol`, naming the first field that is not as expected.
 */
export function parseWire<T>(schema: z.ZodMiniType<T>, value: unknown, what: string): T {
  const parsed = z.safeParse(schema, value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.path.join('.') ?? '';
  throw new PixelsError('protocol', `TrueNAS gave an answer that Pixels does not understand (${field || what}).`, {
    hint: 'Pixels is made for TrueNAS 25.04.2 and newer.',
    cause: new Error(`${what}: ${field}: ${issue?.message ?? 'not as expected'}`),
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not with the parser's own words: they quote the text, and it may hold a token.
    throw new PixelsError('protocol', 'TrueNAS sent something that is no JSON.', {
      hint: 'See whether something between here and TrueNAS changes what it says.',
      cause: new Error(`${text.length} characters that are no JSON`),
    });
  }
}
